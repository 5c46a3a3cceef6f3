import CachePolicy
import CoreMetrics
public import EpisodicMemory
import LMDB
public import Logging

extension LMDBCache {
  /// Opens the cache of a store, empty where nothing that can be trusted is there.
  ///
  /// Whatever stands in the way, the store works without a cache: then this logs why, and answers with one that misses until
  /// it can be opened.
  ///
  /// - Parameter directory: Made if need be; its parent must exist.
  /// - Parameter store: Entries of another store's are removed.
  public static func open(
    at directory: String, store: StoreIdentity, clock: any WallClock = SystemClock(), options: Options = Options(),
    logger: Logger
  ) -> RecoveringCache {
    open(at: directory, store: store, clock: clock, options: options, sizes: Sizes(options), logger: logger)
  }

  static func open(
    at directory: String, store: StoreIdentity, clock: any WallClock, options: Options, sizes: Sizes, logger: Logger
  ) -> RecoveringCache {
    RecoveringCache(at: directory, clock: clock, logger: logger) { () throws(LMDBError) in
      try openFiles(
        at: directory, store: store, clock: clock, options: options, sizes: sizes, logger: logger)
    }
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

  /// - Throws: Why there can be none now, and what to do about it.
  static func openFiles(
    at directory: String, store: StoreIdentity, clock: any WallClock, options: Options, sizes: Sizes, logger: Logger
  ) throws(LMDBError) -> LMDBCache {
    do throws(LMDBError) {
      let tier = try LMDBTier.openAnywhere(
        at: directory, store: store, layout: CacheTables.layout, mapSize: sizes.mapSize, epoch: sizes.epoch,
        logger: logger)
      let policy = EvictionPolicy(
        path: tier.directory + "/" + TierFile.policy, entries: sizes.expectedEntries)
      if !policy.isShared {
        logger.debug("\(tier.directory) has no room for what its policy learns: this process learns for itself alone")
      }
      do throws(LMDBError) {
        return LMDBCache(
          tier, try CacheTables(tier, policy: policy, maximumTags: sizes.maximumTags), clock: clock, options: options,
          metrics: CacheMetrics(factory: sizes.metrics), logger: logger)
      } catch {
        tier.release()
        throw error
      }
    } catch {
      guard let remedy = remedy(for: error.code) else { throw error }
      throw LMDBError(error.code, returnCode: error.returnCode, message: "\(error.message); \(remedy)")
    }
  }

  private static func remedy(for code: LMDBError.Code) -> String? {
    switch code {
    case .accessDenied: "make it writable for this user"
    case .diskFull, .mapFull: "free space on its disk"
    case .damaged, .versionMismatch, .incompatible, .invalid:
      "remove it, it holds nothing that cannot be made anew"
    default: nil
    }
  }
}
