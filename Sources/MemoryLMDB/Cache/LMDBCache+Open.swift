import CoreMetrics
public import EpisodicMemory
import LMDB
public import Logging

extension LMDBCache {
  /// Opens the cache of a store, empty where nothing that can be trusted is there.
  ///
  /// Whatever stands in the way, the store works without a cache: then this logs why, once, and answers with one that
  /// always misses.
  ///
  /// - Parameter directory: Made if need be; its parent must exist.
  /// - Parameter store: Entries of another store's are removed.
  public static func open(
    at directory: String, store: StoreIdentity, clock: any WallClock = SystemClock(), options: Options = Options(),
    logger: Logger
  ) -> any Cache {
    open(at: directory, store: store, clock: clock, options: options, sizes: Sizes(options), logger: logger)
  }

  /// What tests make small, or different.
  struct Sizes {
    var mapSize: Int
    var expectedEntries: Int
    var maximumTags = 131_072
    var epoch = Epoch.current()
    var metrics: any MetricsFactory = MetricsSystem.factory

    init(_ options: Options) {
      mapSize = options.mapSize
      expectedEntries = options.expectedEntries
    }
  }

  static func open(
    at directory: String, store: StoreIdentity, clock: any WallClock, options: Options, sizes: Sizes, logger: Logger
  ) -> any Cache {
    do throws(LMDBError) {
      let tier = try LMDBTier.open(
        at: directory, store: store, layout: CacheTables.layout, mapSize: sizes.mapSize, epoch: sizes.epoch,
        logger: logger)
      let policy = PolicyMap.open(at: directory + "/policy", entries: sizes.expectedEntries)
      if !policy.isShared {
        logger.debug("\(directory) has no room for what its policy learns: this process learns for itself alone")
      }
      return LMDBCache(
        tier, try CacheTables(tier, policy: policy, maximumTags: sizes.maximumTags), clock: clock, options: options,
        metrics: CacheMetrics(factory: sizes.metrics), logger: logger)
    } catch {
      let reason = "no cache in \(directory): \(error); \(remedy(for: error.code))"
      logger.warning("\(reason)")
      return NoCache(because: reason)
    }
  }

  private static func remedy(for code: LMDBError.Code) -> String {
    switch code {
    case .accessDenied: "make it writable for this user"
    case .diskFull, .mapFull: "free space on its disk"
    case .busy: "open it again once it is closed"
    default: "remove it, it holds nothing that cannot be made anew"
    }
  }
}
