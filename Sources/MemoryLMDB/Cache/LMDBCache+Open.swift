import CachePolicy
package import CoreMetrics
package import EpisodicMemory
import LMDB
package import Logging

extension LMDBCache {
  /// Opens the cache of a store, empty if its files cannot be trusted.
  ///
  /// If it cannot be opened, the store works without a cache: this logs why, and returns one that misses until it can be
  /// opened.
  ///
  /// - Parameter directory: Created if need be; its parent must exist.
  /// - Parameter store: Entries of another store are removed.
  package static func open(
    at directory: String, store: StoreIdentity, clock: any WallClock = SystemClock(), options: Options = Options(),
    metrics: any MetricsFactory = MetricsSystem.factory, logger: Logger
  ) -> RecoveringCache {
    var sizes = Sizes(options)
    sizes.metrics = metrics
    return open(at: directory, store: store, clock: clock, options: options, sizes: sizes, logger: logger)
  }

  static func open(
    at directory: String, store: StoreIdentity, clock: any WallClock, options: Options, sizes: Sizes, logger: Logger
  ) -> RecoveringCache {
    RecoveringCache(at: directory, clock: clock, logger: logger) { () throws(LMDBError) in
      try openFiles(at: directory, store: store, clock: clock, options: options, sizes: sizes, logger: logger)
    }
  }

  /// Set by tests.
  struct Sizes {
    var mapSize: Int
    var expectedEntries: Int
    var maximumTags = 131_072
    var boot = BootID.current()
    var metrics: any MetricsFactory = MetricsSystem.factory

    init(_ options: Options) {
      mapSize = options.mapSize
      expectedEntries = options.expectedEntries
    }
  }

  /// - Throws: Why it cannot be opened, with the remedy.
  static func openFiles(
    at directory: String, store: StoreIdentity, clock: any WallClock, options: Options, sizes: Sizes, logger: Logger
  ) throws(LMDBError) -> LMDBCache {
    do throws(LMDBError) {
      let tier = try LMDBTier.openAnywhere(
        at: directory, store: store, layout: CacheTables.layout, mapSize: sizes.mapSize, boot: sizes.boot,
        logger: logger)
      let policy = EvictionPolicy(
        path: tier.directory + "/" + TierFile.policy, entries: sizes.expectedEntries)
      if !policy.isShared {
        logger.debug(
          "\(tier.directory) has no room for the file of the eviction policy: its state is this process's own",
          metadata: ["event": "cache.policy_not_shared", "path": "\(tier.directory)"])
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
    case .damaged, .versionMismatch, .incompatible, .invalid: "remove it, all of it can be recomputed"
    default: nil
    }
  }
}

extension LMDBCache {
  /// How much to keep, and for how long.
  package struct Options: Hashable, Sendable {
    /// Bytes of the data file that entries may take, 1 MiB or more. Must be equal in all processes.
    package var capacity = 256 << 20

    /// Entries that there may be; `nil` for no such limit. Must be equal in all processes.
    package var maximumEntries: Int?

    /// Bytes that the data file can never exceed, 2 MiB or more; `nil` for more than the capacity needs. Bounds the
    /// capacity too: a quarter of the file is LMDB's. Must be equal in all processes.
    package var maximumFileSize: Int?

    /// How long an entry is served after its fill. A kind whose lifetime is not positive is not cached.
    package var episodeLifetime = Duration.seconds(3600)
    package var patternLifetime = Duration.seconds(1800)
    package var queryLifetime = Duration.seconds(300)

    /// Largest share by which a lifetime is drawn longer or shorter, 0...1, so that entries filled together do not expire
    /// together.
    package var jitter = 0.1

    package init() {}

    package subscript(kind: CacheKey.Kind) -> Duration {
      get {
        switch kind {
        case .episode: episodeLifetime
        case .pattern: patternLifetime
        case .query: queryLifetime
        }
      }
      set {
        switch kind {
        case .episode: episodeLifetime = newValue
        case .pattern: patternLifetime = newValue
        case .query: queryLifetime = newValue
        }
      }
    }
  }
}

extension LMDBCache.Options {
  /// The capacity, clamped to 1 MiB...16 TiB.
  var effectiveCapacity: Int { min(max(capacity, 1 << 20), 1 << 44) }

  /// The number of entries that the policy is laid out for.
  var expectedEntries: Int {
    CacheLimit(bytes: min(effectiveCapacity, mapSize / 4 * 3), entries: maximumEntries).expectedEntries
  }

  /// Bytes of address space: twice the capacity, because LMDB copies pages before it frees any and readers keep old
  /// ones, rounded up to a power of two, so that processes with slightly different capacities agree.
  var mapSize: Int {
    if let maximumFileSize { return min(max(maximumFileSize, 2 << 20), 1 << 45) }
    var size = 512 << 20
    while size < 2 * effectiveCapacity { size *= 2 }
    return size
  }

  /// When an entry that is filled now expires; `nil` if its kind is not cached.
  func deadline(of kind: CacheKey.Kind, from now: Timestamp) -> Int64? {
    let lifetime = Double(self[kind].milliseconds)
    guard lifetime > 0 else { return nil }
    let spread = jitter.isFinite ? min(max(jitter, 0), 1) : 0
    let drawn = Int64(exactly: (lifetime * (1 + .random(in: -spread...spread))).rounded()) ?? .max
    let (deadline, overflow) = now.milliseconds.addingReportingOverflow(drawn)
    return overflow ? CacheTables.latestDeadline : min(deadline, CacheTables.latestDeadline)
  }
}
