import EpisodicMemory
import FileLocks
import LMDB
import Logging

/// Tiers of containers. LMDB tells readers apart by process numbers, and in two PID namespaces two processes may have the
/// same: in two containers, 1. The one that comes later has a tier of its namespace's own, beside the others, and removes it
/// when it closes it.
extension LMDBTier {
  static let apartPrefix = "pid-"
  /// Namespaces that may have tiers of their own at a time: each takes the room of another.
  private static let mostApart = 4

  /// Opens the tier in a directory, or one apart if its process number is taken there; else as `open`.
  static func openAnywhere(
    at directory: String, store: StoreIdentity, layout: TierLayout, mapSize: Int, boot: BootID, logger: Logger
  ) throws(LMDBError) -> LMDBTier {
    do throws(LMDBError) {
      return try open(
        at: directory, store: store, layout: layout, mapSize: mapSize, boot: boot, logger: logger)
    } catch let error where error.code == .processNumberTaken {
      guard let namespace = processNamespace() else { throw error }
      let name = "\(apartPrefix)\(namespace)"
      guard try countOthers(than: name, in: directory) < mostApart else { throw error }
      logger.debug(
        "\(error); this namespace has a tier of its own, \(name)",
        metadata: ["event": "tier.apart", "path": "\(directory)", "error": "\(error)"])
      return try open(
        at: "\(directory)/\(name)", store: store, layout: layout, mapSize: mapSize, boot: boot, logger: logger)
    }
  }

  var isApart: Bool { place.path.split(separator: "/").last?.hasPrefix(Self.apartPrefix) ?? false }

  /// The number of this process's PID namespace; `nil` if there are none.
  private static func processNamespace() -> UInt64? {
    // The link leads to an object of the kernel's, with a number for each namespace.
    (try? FileStatus(of: "/proc/self/ns/pid", followingLinks: true))?.identity.inode
  }

  /// Counts the tiers of other namespaces, and removes those without a user: their processes were killed.
  private static func countOthers(than name: String, in directory: String) throws(LMDBError) -> Int {
    guard let place = try PrivateDirectory<LMDBError>(at: directory) else { return 0 }
    var count = 0
    for other in try place.names() where other.hasPrefix(apartPrefix) && other != name {
      if try !removeUnused(at: "\(directory)/\(other)") { count += 1 }
    }
    return count
  }

  /// - Returns: Whether it was removed; false if a process uses, opens or closes it.
  private static func removeUnused(at directory: String) throws(LMDBError) -> Bool {
    guard let place = try PrivateDirectory<LMDBError>(at: directory) else { return true }
    guard try place.status(of: TierFile.epoch) != nil else { return place.removeIfEmpty() }
    guard let file = try EpochFile(existingIn: place) else { return false }
    guard try UsersFile(in: place, until: .after(.zero)).isAlone else { return false }
    return try removeAll(place, file)
  }

  /// Removes the directory of a tier apart. Its users are gone.
  static func removeAll(_ place: PrivateDirectory<LMDBError>, _ file: borrowing EpochFile) throws(LMDBError) -> Bool {
    try Environment.removeFiles(at: place.path, patience: .zero)
    // Last the epoch file, whose lock is held.
    for name in [
      TierFile.policy, TierFile.writer, TierFile.maintenance, TierFile.users, TierFile.epoch,
    ] {
      try place.remove(name)
    }
    return place.removeIfEmpty()
  }
}
