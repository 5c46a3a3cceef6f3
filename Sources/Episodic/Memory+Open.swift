package import CoreMetrics
import FileLocks
public import EpisodicMemory
import MemoryLMDB
import MemorySQLite
public import Foundation
public import Logging

#if canImport(System)
  public import System
#else
  public import SystemPackage
#endif

extension Memory {
  /// How to open a store.
  public struct OpenOptions: Sendable {
    /// Whether the store may be written.
    public var access = Access.readWrite
    /// Whether to create the store if there is none.
    public var create = true
    /// Whether a store of an earlier schema is copied into its directory `backups/` before it is migrated. Without room for the
    /// copy the store is not opened: the migrated store cannot be opened by an earlier build, the copy can.
    public var backsUpBeforeMigrating = true
    /// Longest wait for a lock that another process or program holds; then a call throws `.busy`.
    public var busyTimeout = Duration.seconds(30)
    /// What an acknowledged write survives.
    public var durability = Memory.Durability.full
    /// The cache in front of the primary.
    public var cache = CacheOptions()
    /// The index of words and vectors.
    public var index = IndexOptions()
    /// The largest input that is accepted.
    public var limits = Memory.Limits()
    /// The source of the times that the engine writes.
    public var clock: any WallClock = SystemClock()
    /// Whether the store is maintained in the background while it is open.
    public var maintenance = MaintenanceSchedule.manual
    /// Whether what is written leaves records in the store's audit, and whose.
    public var audit = Auditing.off
    /// Where the key of the store's encrypted domains comes from; `nil`: they cannot be read or written. It is asked once, when a row
    /// of such a domain is read or written first.
    public var key: KeyProvider?
    /// Gets a line when the state of a cache or an index changes.
    public var logger = Logger(label: "episodic")
    /// Where metrics go; for tests of them.
    package var metrics: any MetricsFactory = MetricsSystem.factory
    /// Bytes of the database's pages that each connection keeps; `nil` for 16 MiB.
    package var pageCacheBytes: Int?

    /// The defaults.
    public init() {}
  }

  /// How a store may be accessed.
  public enum Access: Sendable {
    /// Reading and writing; if the files or their directory cannot be written, as `readOnly`.
    case readWrite
    /// Only reading, without cache and index: no file is made or changed, and a write throws `.readOnly`.
    case readOnly
  }

  /// The index of words and vectors.
  public struct IndexOptions: Sendable {
    /// Without the index the primary searches alone: exact, in time proportional to the matching rows and the vectors.
    public var isEnabled = true
    /// Bytes that one step of following the primary takes in, and holds about five times until it commits.
    package var stepBytes = LMDBSearchIndex.stepBytes

    /// The defaults.
    public init() {}
  }

  /// The cache in front of the primary.
  public struct CacheOptions: Sendable {
    /// Without the cache every read goes to the primary: answers are the same, and slower.
    public var isEnabled = true
    /// Largest size of all entries, in bytes.
    public var capacity = 256 << 20
    /// Largest number of entries; `nil` for no such bound. The same in every process, as the capacity.
    public var maximumEntries: Int?
    /// Largest size of the cache's file, in bytes; `nil` for one derived from the capacity. The same in every process.
    public var maximumFileSize: Int?
    /// Time to live of the entries, with a jitter of ±10 % so that they do not expire together.
    public var lifetimes: [CacheStatistics.Kind: Duration] = [
      .episode: .seconds(3600), .pattern: .seconds(1800), .query: .seconds(300),
    ]

    /// Whether completing or failing an episode also fills the cache with it, at the cost of one fill.
    public var prefetchesEnded = false

    /// The defaults.
    public init() {}
  }
}

extension Memory {
  /// Opens the store in a directory; creates it if there is none and `options.create`.
  ///
  /// The directory contains `memory.sqlite`, the source of truth, and `cache.lmdb/`, which may be deleted at any time: the
  /// cache, and in its folder `index/` the search index. Several processes may open one store. A cache or an index that cannot
  /// be opened is left out and logged: reads are slower and answers the same (I1).
  ///
  /// An existing store is opened without waiting for writers. Work that may block leaves the caller's executor.
  ///
  /// - Parameter directory: A path; `~` and `~/...` are in the home directory.
  /// - Parameter options: How to open it; the defaults create a store that survives loss of power.
  /// - Throws: `.notAStore` if there is none, or one of a newer version; `.unavailable` without permission; `.busy` if another
  ///   process creates or migrates it for longer than `busyTimeout`; `.corrupted` if the primary is damaged.
  public static func open(
    at directory: String, options: OpenOptions = OpenOptions()
  ) async throws(MemoryError) -> Memory {
    // Opening waits for disks and locks, so not on the caller's executor.
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      try await openTiers(at: directory, options)
    }
  }

  /// Opens the store in a directory on this machine's file system.
  ///
  /// - Throws: `.invalid` if the URL is none of a file; otherwise as `open(at:options:)` with a path.
  public static func open(
    at directory: URL, options: OpenOptions = OpenOptions()
  ) async throws(MemoryError) -> Memory {
    guard directory.isFileURL else {
      throw MemoryError(.invalid, "\(directory.absoluteString) is no file URL; name a directory of this machine")
    }
    return try await open(at: directory.path(percentEncoded: false), options: options)
  }

  /// Opens the store in a directory.
  public static func open(
    at directory: FilePath, options: OpenOptions = OpenOptions()
  ) async throws(MemoryError) -> Memory {
    try await open(at: directory.string, options: options)
  }

  /// Makes an empty store in memory, for tests and for what is to be forgotten: it touches no file, and nothing is left of it
  /// after the last reference.
  ///
  /// It answers as a store in a directory does, from the primary alone: without cache and index.
  public static func inMemory(
    clock: any WallClock = SystemClock(), limits: Limits = Limits(), audit: Auditing = .off, key: KeyProvider? = nil,
    logger: Logger = Logger(label: "episodic")
  ) async throws(MemoryError) -> Memory {
    try limits.validate()
    let reason = "the store is in memory"
    return Memory(
      primary: try await SQLitePrimaryStore(
        inMemoryWith: logger, clock: clock, limits: limits, auditing: audit, key: key),
      cache: NoCache(because: reason),
      index: NoIndex(because: reason), clock: clock, limits: limits)
  }

  private static func openTiers(
    at directory: String, _ options: OpenOptions
  ) async throws(MemoryError) -> Memory {
    try options.limits.validate()
    let observer = StoreMetrics(factory: options.metrics).observer
    let directory = try StoreDirectory(directory)
    let primary = try await SQLitePrimaryStore(
      path: directory.primary, backups: options.backsUpBeforeMigrating ? directory.backups : nil,
      isReadOnly: options.access == .readOnly, create: options.create,
      durability: options.durability, busyTimeout: options.busyTimeout, pageCacheBytes: options.pageCacheBytes,
      clock: options.clock, limits: options.limits,
      index: options.index.isEnabled ? directory.index + "/data.mdb" : nil, auditing: options.audit, key: options.key,
      observer: observer,
      logger: options.logger)
    let cache = cache(for: primary, at: directory.cache, options)
    let index = index(for: primary, at: directory.index, options)
    let logger = options.logger
    primary.onFullDisk {
      // Files that this memory does not use give way too: other processes make them again when there is room (I1).
      if let cache = cache as? RecoveringCache {
        cache.giveWay()
      } else {
        RecoveringCache.giveWay(in: directory.cache, logger: logger)
      }
      if let index = index as? RecoveringIndex {
        index.giveWay()
      } else {
        RecoveringIndex.giveWay(in: directory.index, logger: logger)
      }
    }
    var memory = Memory(
      primary: primary, cache: cache, index: index, clock: options.clock,
      limits: options.limits, prefetchesEnded: options.cache.prefetchesEnded, busyTimeout: options.busyTimeout,
      files: StoreDirectoryFiles(directory: directory, cache: cache, index: index), observer: observer)
    if let interval = options.maintenance.interval, primary.readOnlyReason == nil {
      var logger = options.logger
      logger[metadataKey: "path"] = "\(directory.path)"
      memory.maintainAutomatically(every: interval, logger: logger)
    }
    return memory
  }

  private static func index(
    for primary: SQLitePrimaryStore, at path: String, _ options: OpenOptions
  ) -> any SearchIndex {
    guard options.index.isEnabled else { return NoIndex(because: "it is switched off") }
    if let reason = primary.readOnlyReason { return NoIndex(because: "the store is open for reading only: \(reason)") }
    return LMDBSearchIndex.open(
      at: path, store: primary.identity, stepBytes: options.index.stepBytes, clock: options.clock,
      metrics: options.metrics, logger: options.logger)
  }

  private static func cache(
    for primary: SQLitePrimaryStore, at path: String, _ options: OpenOptions
  ) -> any Cache {
    guard options.cache.isEnabled else { return NoCache(because: "it is switched off") }
    if let reason = primary.readOnlyReason { return NoCache(because: "the store is open for reading only: \(reason)") }
    var cacheOptions = LMDBCache.Options()
    cacheOptions.capacity = options.cache.capacity
    cacheOptions.maximumEntries = options.cache.maximumEntries
    cacheOptions.maximumFileSize = options.cache.maximumFileSize
    for (kind, lifetime) in options.cache.lifetimes { cacheOptions[kind] = lifetime }
    return LMDBCache.open(
      at: path, store: primary.identity, clock: options.clock, options: cacheOptions, metrics: options.metrics,
      logger: options.logger)
  }
}
