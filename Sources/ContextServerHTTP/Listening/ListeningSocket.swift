package import EpisodicMemory
import FileLocks
import Foundation

/// A socket that listens, and of a Unix socket its file.
package struct ListeningSocket: Sendable {
  /// Connections that wait to be taken.
  private static let backlog: Int32 = 128

  /// Closed by the server that gets it.
  package let descriptor: Int32
  private let place: Place

  private enum Place {
    case loopback(String)
    /// With the times of its status: the number of its inode may be given to the next file.
    case file(path: String, FileStatus)
  }

  /// - Throws: `.unavailable` if the address is in use or the system refuses it, `.invalid` for a Unix socket in a folder in which
  ///   others could exchange it.
  package init(_ address: ListeningAddress) throws(MemoryError) {
    switch address {
    case .loopback(let host, let port): (descriptor, place) = try Self.loopback(host, port)
    case .unixSocket(let path): (descriptor, place) = try Self.file(path)
    }
  }

  /// Where clients find a path of the server; of a Unix socket, its file alone.
  package func url(_ path: String) -> String {
    switch place {
    case .loopback(let host): "http://\(host)\(path)"
    case .file(let file, _): "unix:\(file)"
    }
  }

  /// Removes the file of a Unix socket, unless another server has put its own there.
  package func removeFile() {
    guard case .file(let path, let status) = place else { return }
    // A file that cannot be examined is left.
    if (try? FileStatus(of: path)) == status { unlink(path) }
  }

  /// Makes a socket, which is closed again if `body` throws.
  private static func withSocket<Value>(
    _ family: Int32, _ body: (Int32) throws(MemoryError) -> Value
  ) throws(MemoryError) -> (Int32, Value) {
    #if canImport(Darwin)
      let descriptor = socket(family, SOCK_STREAM, 0)
    #else
      let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    guard descriptor >= 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
      throw failure("no socket can be made", "look at the limits of the process")
    }
    do throws(MemoryError) {
      return (descriptor, try body(descriptor))
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// - Parameter problem: What the system refused, of which `errno` has the reason.
  private static func failure(_ problem: String, _ remedy: String) -> MemoryError {
    MemoryError(.unavailable, "\(problem): \(String(cString: strerror(errno))); \(remedy)")
  }

  /// Calls a function of the system with an address of any family.
  private static func withAddress<Address>(
    _ address: inout Address, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Address>.size)) }
    }
  }

  // MARK: Loopback

  private static func loopback(_ host: LoopbackHost, _ port: UInt16) throws(MemoryError) -> (Int32, Place) {
    switch host {
    case .version4(let text):
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      inet_pton(AF_INET, text, &address.sin_addr)
      return try listen(AF_INET, &address, \.sin_port, host)
    case .version6:
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_addr = in6addr_loopback
      return try listen(AF_INET6, &address, \.sin6_port, host)
    }
  }

  private static func listen<Address>(
    _ family: Int32, _ address: inout Address, _ port: KeyPath<Address, in_port_t>, _ host: LoopbackHost
  ) throws(MemoryError) -> (Int32, Place) {
    try withSocket(family) { descriptor throws(MemoryError) in
      // A server that starts again is not refused for connections of the former one.
      var isOn: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
      let result = withAddress(&address) { address, size in
        var size = size
        let result = bind(descriptor, address, size)
        return result == 0 ? getsockname(descriptor, address, &size) : result
      }
      guard result == 0, Foundation.listen(descriptor, backlog) == 0 else {
        throw failure(
          "cannot listen on \(host.text):\(UInt16(bigEndian: address[keyPath: port]))",
          "name another port, or 0 for any that is free")
      }
      return .loopback("\(host.text):\(UInt16(bigEndian: address[keyPath: port]))")
    }
  }

  // MARK: Unix sockets

  private static func file(_ path: String) throws(MemoryError) -> (Int32, Place) {
    let folder = try folder(of: path)
    // Of two servers that find the socket of a dead one, the second must not remove that of the first.
    return try FileLock(folder).withLock(timeout: .seconds(5), orThrow: unusable) { () throws(MemoryError) in
      try removeDead(path)
      var address = address(path)
      return try withSocket(AF_UNIX) { descriptor throws(MemoryError) in
        // Nobody can connect before it listens, and then its mode is set.
        guard withAddress(&address, { bind(descriptor, $0, $1) }) == 0, chmod(path, 0o600) == 0,
          Foundation.listen(descriptor, backlog) == 0
        else { throw failure("cannot listen on \(path)", "name another path") }
        do throws(FileError) {
          guard let status = try FileStatus(of: path) else { throw FileError(errno: ENOENT, "examine", path) }
          return .file(path: path, status)
        } catch {
          throw unusable(error)
        }
      }
    }
  }

  /// The folder of a socket, which must be this user's: who may write in it could put another socket in its place.
  private static func folder(of path: String) throws(MemoryError) -> OpenFile<FileError> {
    let slash = path.lastIndex(of: "/")
    let name = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    do throws(FileError) {
      let folder = try OpenFile<FileError>.directory(name)
      let status = try folder.status()
      guard status.owner == geteuid(), status.mode & 0o022 == 0 else {
        throw FileError(
          .owner, "others may write in \(name); name a socket in a folder of yours, such as a new one of mode 0700")
      }
      return folder
    } catch {
      throw unusable(error)
    }
  }

  private static func unusable(_ error: FileError) -> MemoryError {
    MemoryError(error.code == .owner ? .invalid : .unavailable, "the socket: \(error.message)", cause: error)
  }

  /// Removes the socket of a server that was killed.
  ///
  /// - Throws: `.conflict` if there is something else under the name, or a server that lives.
  private static func removeDead(_ path: String) throws(MemoryError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw MemoryError(.conflict, "\(path) is there and is no socket; name another path, or remove it")
    }
    var address = address(path)
    let (descriptor, answer) = try withSocket(AF_UNIX) { descriptor throws(MemoryError) in
      withAddress(&address) { connect(descriptor, $0, $1) } == 0 ? 0 : errno
    }
    close(descriptor)
    guard answer == ECONNREFUSED else {
      throw MemoryError(.conflict, "another server listens on \(path); end it, or name another path")
    }
    unlink(path)
  }

  /// - Parameter path: Of at most the bytes that `ListeningAddress` allows.
  private static func address(_ path: String) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { field in
      field.copyBytes(from: path.utf8.prefix(field.count - 1))
    }
    return address
  }
}
