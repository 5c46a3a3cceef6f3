package import FileLocks
import Synchronization

/// Looks, at most once a second, at the free space of the disk and at the sizes of the store's files: refuses what makes the
/// store grow while the disk has less left than a floor, and reports each file that has grown beyond its threshold, once.
///
/// SQLite refuses a write only when the disk is full; then nothing else works on that disk either, and a log that cannot be
/// moved stays as long as it is.
package final class DiskWatch: Sendable {
  /// A file, or several that count together.
  package struct Watched: Sendable {
    /// For messages: "primary".
    let name: String
    let paths: [String]
    /// Bytes from which it is reported.
    let threshold: Int64
    /// The name of the limit.
    let limit: String

    package init(_ name: String, _ paths: [String], threshold: Int, limit: String) {
      (self.name, self.paths, self.limit) = (name, paths, limit)
      self.threshold = Int64(clamping: threshold)
    }
  }

  /// Below 64 MiB other programs on the same disk fail too.
  private static let defaultFloor: Int64 = 64 << 20
  /// On a small disk 64 MiB may be most of it: a twentieth, as much as ext4 reserves. Less would be gone with one large commit and
  /// its log.
  private static let defaultShare: Int64 = 20
  private static let interval: Int64 = 1000

  private let directory: String
  private let floor: Int?
  private let watched: [Watched]
  private let report: @Sendable (String) -> Void
  private let nextLook = Atomic<Int64>(.min)
  private let shortage = Mutex<DiskShortage?>(nil)
  private let isShort = Atomic(false)
  private let reported = Mutex<Set<String>>([])

  /// - Parameter floor: Bytes; `nil` for the default, 0 for none.
  /// - Parameter report: Called with a line for the log.
  package init(
    of directory: String, floor: Int?, watched: [Watched] = [], report: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.directory = directory
    self.floor = floor
    self.watched = watched
    self.report = report
  }

  /// Bytes that a disk of a size must have left.
  package static func floor(_ limit: Int?, ofDiskOf size: Int64) -> Int64 {
    limit.map(Int64.init(clamping:)) ?? min(defaultFloor, size / defaultShare)
  }

  /// Called on the writer's thread before rows are added.
  ///
  /// Cost: reading a coarse clock, nanoseconds; once a second, a system call and one for each watched file.
  ///
  /// - Throws: `DiskShortage`.
  package func requireRoom() throws {
    let now = CoarseClock.milliseconds
    if now >= nextLook.load(ordering: .relaxed) {
      nextLook.store(now &+ Self.interval, ordering: .relaxed)
      look()
    }
    guard isShort.load(ordering: .relaxed), let shortage = shortage.withLock({ $0 }) else { return }
    throw shortage
  }

  /// What would be left on the disk after so many bytes, in words, if that is less than the floor; `nil` if it is not.
  package func shortage(for bytes: Int64) throws(FileError) -> String? {
    let space = try FileSystemSpace(of: directory)
    let floor = Self.floor(floor, ofDiskOf: space.size)
    guard bytes > space.free &- floor else { return nil }
    return "the disk of \(directory) has \(space.free) left, of which \(floor) must stay free; free some space"
  }

  /// Has the next write look again: space has been freed.
  package func lookAgain() { nextLook.store(.min, ordering: .relaxed) }

  /// No more space can be freed: until the next look nothing more is tried.
  package func giveUp() { shortage.withLock { $0?.mayFreeSpace = false } }

  private func look() {
    for file in watched { examine(file) }
    guard floor != 0 else { return }
    // A file system that cannot be examined is no reason to refuse a write that may well succeed.
    guard let space = try? FileSystemSpace(of: directory) else { return }
    let floor = Self.floor(floor, ofDiskOf: space.size)
    let isShort = space.free < floor
    shortage.withLock { shortage in
      shortage = isShort ? DiskShortage(directory: directory, free: space.free, floor: floor) : nil
    }
    self.isShort.store(isShort, ordering: .relaxed)
  }

  private func examine(_ file: Watched) {
    // What cannot be seen counts as nothing: the size is only reported.
    let bytes = file.paths.reduce(Int64(0)) { sum, path in sum &+ ((try? FileStatus(of: path))?.bytesOnDisk ?? 0) }
    guard bytes >= file.threshold, reported.withLock({ $0.insert(file.name).inserted }) else { return }
    report(
      "the \(file.name) in \(directory) has \(bytes) bytes, more than limits.\(file.limit), which is \(file.threshold)")
  }
}

/// The disk has less room left than the floor, so that nothing is written that makes the store grow.
package struct DiskShortage: Error {
  let directory: String
  let free: Int64
  let floor: Int64
  /// Whether derived files may still be deleted to make room.
  var mayFreeSpace = true
}
