#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The processes that hold locks on files, as the kernel lists them; nothing on systems without `/proc/locks`.
///
/// The list is of one moment, and has the locks of this PID namespace only.
package struct LockHolders: Sendable {
  package struct Holder: Hashable, Sendable {
    package let process: Int32
    package let file: FileIdentity
  }

  private let holders: Set<Holder>

  /// - Parameter list: As `/proc/locks` has it; `nil` reads that.
  package init(_ list: String? = nil) {
    var holders: Set<Holder> = []
    for line in (list ?? Self.read("/proc/locks")).split(separator: "\n") {
      // `1: FLOCK  ADVISORY  WRITE 4711 fe:00:16236621 0 EOF`; a waiter has `->` behind its number.
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      guard fields.count >= 6, fields[1] != "->", let process = Int32(fields[4]), process > 0 else { continue }
      let place = fields[5].split(separator: ":")
      guard place.count == 3, let major = UInt64(place[0], radix: 16), let minor = UInt64(place[1], radix: 16),
        let inode = UInt64(place[2])
      else { continue }
      holders.insert(Holder(process: process, file: FileIdentity(device: Self.device(major, minor), inode: inode)))
    }
    self.holders = holders
  }

  /// Those of a file, by number. Some file systems have another device in the list than `stat` reports; then by inode alone.
  package func processes(on file: FileIdentity) -> [Int32] {
    let exact = holders.filter { $0.file == file }
    let found = exact.isEmpty ? holders.filter { $0.file.inode == file.inode && !isOnDisk($0.file.device) } : exact
    return Set(found.map(\.process)).sorted()
  }

  /// Whether the device has a number of its own, and is not that of a layer.
  private func isOnDisk(_ device: UInt64) -> Bool { device >> 8 & 0xFFF != 0 }

  /// As `makedev` of Linux.
  private static func device(_ major: UInt64, _ minor: UInt64) -> UInt64 {
    (major & 0xFFF) << 8 | (major >> 12) << 44 | minor & 0xFF | (minor >> 8) << 20
  }

  /// Empty if it cannot be read.
  static func read(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while bytes.count < 1 << 24 {
      let count = readBytes(descriptor, &buffer)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Outside the type, whose own `read` would hide it.
private func readBytes(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
  read(descriptor, &buffer, buffer.count)
}

/// What another process does, as far as it can be told.
package enum ProcessState: Sendable {
  case running
  /// By a signal or a debugger: it holds what it holds until it is continued or killed.
  case stopped
  case gone

  package init(of process: Int32) {
    let status = LockHolders.read("/proc/\(process)/stat")
    // The name, in parentheses, may hold anything; the state follows the last one.
    if let end = status.lastIndex(of: ")") {
      let state = status[status.index(after: end)...].first { $0 != " " }
      self = state == "T" || state == "t" ? .stopped : state == "Z" || state == "X" ? .gone : .running
    } else {
      self = kill(process, 0) == 0 || errno == EPERM ? .running : .gone
    }
  }

  /// `4711 (name)`; without a name if it cannot be told.
  package static func name(of process: Int32) -> String {
    let name = LockHolders.read("/proc/\(process)/comm").split(separator: "\n").first ?? ""
    return name.isEmpty ? "\(process)" : "\(process) (\(name))"
  }
}
