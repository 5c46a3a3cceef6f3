public import EpisodicMemory
import LMDB
public import Logging

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension LMDBSearchIndex {
  /// Address space, not memory: more than ten million episodes with vectors need, and never resized under others.
  private static let mapSize = 1 << 37

  /// Opens the index of a store, empty where nothing that can be trusted is there.
  ///
  /// Whatever stands in the way, the store works without an index: then this logs why, once, and answers with one that is
  /// always silent.
  ///
  /// - Parameter directory: Made if need be, and its parent too; the parent's parent must exist.
  /// - Parameter store: The index of another store's is removed.
  public static func open(at directory: String, store: StoreIdentity, logger: Logger) -> any SearchIndex {
    open(at: directory, store: store, mapSize: mapSize, epoch: .current(), logger: logger)
  }

  static func open(
    at directory: String, store: StoreIdentity, mapSize: Int, epoch: Epoch, logger: Logger
  ) -> any SearchIndex {
    // The cache, which would make it, may be switched off; what stands in the way the tier will say.
    if let end = directory.lastIndex(of: "/") { mkdir(String(directory[..<end]), 0o700) }
    do throws(LMDBError) {
      let tier = try LMDBTier.open(
        at: directory, store: store, layout: layout, mapSize: mapSize, epoch: epoch, logger: logger)
      return try LMDBSearchIndex(tier, logger: logger)
    } catch {
      let reason = "no search index in \(directory): \(error); the primary searches alone"
      logger.warning("\(reason)")
      return NoIndex(because: reason)
    }
  }
}
