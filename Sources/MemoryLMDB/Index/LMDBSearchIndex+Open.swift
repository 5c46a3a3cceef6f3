public import EpisodicMemory
import FileLocks
import LMDB
public import Logging

extension LMDBSearchIndex {
  /// Address space, not memory: more than ten million episodes with vectors need, and never resized under others.
  private static let mapSize = 1 << 37

  /// Opens the index of a store, empty where nothing that can be trusted is there.
  ///
  /// Whatever stands in the way, the store works without an index: then this logs why, and answers with one that is silent until
  /// it can be opened.
  ///
  /// - Parameter directory: Made if need be, and its parent too; the parent's parent must exist.
  /// - Parameter store: The index of another store's is removed.
  public static func open(
    at directory: String, store: StoreIdentity, clock: any WallClock = SystemClock(), logger: Logger
  ) -> RecoveringIndex {
    open(at: directory, store: store, mapSize: mapSize, epoch: .current(), clock: clock, logger: logger)
  }

  static func open(
    at directory: String, store: StoreIdentity, mapSize: Int, epoch: Epoch, clock: any WallClock = SystemClock(),
    logger: Logger
  ) -> RecoveringIndex {
    RecoveringIndex(at: directory, clock: clock, logger: logger) { () throws(LMDBError) in
      // The cache, which would make it, may be switched off; and neither may be reached through a link.
      if let end = directory.lastIndex(of: "/") {
        _ = try PrivateDirectory<LMDBError>(creatingAt: String(directory[..<end]))
      }
      let tier = try LMDBTier.openAnywhere(
        at: directory, store: store, layout: layout, mapSize: mapSize, epoch: epoch, logger: logger)
      do throws(LMDBError) {
        return try LMDBSearchIndex(tier, clock: clock, logger: logger)
      } catch {
        tier.release()
        throw error
      }
    }
  }
}
