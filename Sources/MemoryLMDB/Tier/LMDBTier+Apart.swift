import EpisodicMemory
import LMDB
import Logging

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Tiers of containers. LMDB tells readers apart by process numbers, and in two PID namespaces two processes may have the same: in two
/// containers, 1. The one that comes later has a tier of its namespace's own, beside the others, and removes it when it closes it.
extension LMDBTier {
  static let apartPrefix = "pid-"
  /// Namespaces that may have tiers of their own at a time: each takes the room of another.
  private static let mostApart = 4

  /// Opens the tier in a directory, or one apart if its process number is taken there; else as `open`.
  static func openAnywhere(
    at directory: String, store: StoreIdentity, layout: TierLayout, mapSize: Int, epoch: Epoch, logger: Logger
  ) throws(LMDBError) -> LMDBTier {
    do throws(LMDBError) {
      return try open(
        at: directory, store: store, layout: layout, mapSize: mapSize, epoch: epoch, logger: logger)
    } catch let error where error.code == .processNumberTaken {
      guard let namespace = processNamespace() else { throw error }
      let name = "\(apartPrefix)\(namespace)"
      guard try countOthers(than: name, in: directory) < mostApart else { throw error }
      logger.debug("\(error); this namespace has a tier of its own, \(name)")
      return try open(
        at: "\(directory)/\(name)", store: store, layout: layout, mapSize: mapSize, epoch: epoch, logger: logger)
    }
  }

  var isApart: Bool { place.path.split(separator: "/").last?.hasPrefix(Self.apartPrefix) ?? false }

  /// The number of this process's PID namespace; `nil` where there are none.
  private static func processNamespace() -> UInt64? {
    var status = stat()
    guard stat("/proc/self/ns/pid", &status) == 0 else { return nil }
    return UInt64(truncatingIfNeeded: status.st_ino)
  }

  /// Counts the tiers of other namespaces, and removes those that nobody uses: their processes were killed.
  private static func countOthers(than name: String, in directory: String) throws(LMDBError) -> Int {
    guard let place = try PrivateDirectory(at: directory, creating: false) else { return 0 }
    var count = 0
    for other in try place.names() where other.hasPrefix(apartPrefix) && other != name {
      if try !removeUnused(at: "\(directory)/\(other)") { count += 1 }
    }
    return count
  }

  /// - Returns: Whether it was removed; false if somebody uses, opens or closes it.
  private static func removeUnused(at directory: String) throws(LMDBError) -> Bool {
    guard let place = try PrivateDirectory(at: directory, creating: false) else { return true }
    guard try place.status(of: EpochFile.name) != nil else { return try removeEmptied(place) }
    guard let file = try EpochFile(existingIn: place) else { return false }
    guard try UsersFile(in: place, until: .after(.zero)).isAlone else { return false }
    return try removeAll(place, file)
  }

  /// Removes the directory of a tier apart. Its users are gone.
  static func removeAll(_ place: PrivateDirectory, _ file: borrowing EpochFile) throws(LMDBError) -> Bool {
    try Environment.removeFiles(at: place.path, patience: .zero)
    // Last the epoch file, whose lock is held.
    for name in [policyName, WriterLock.name, MaintenanceLock.name, UsersFile.name, EpochFile.name] {
      try place.remove(name)
    }
    return try removeEmptied(place)
  }

  private static func removeEmptied(_ place: PrivateDirectory) throws(LMDBError) -> Bool {
    // Not empty if somebody has just begun to use it again.
    guard rmdir(place.path) == 0 || errno == ENOENT else { return false }
    return true
  }
}
