import FileLocks
public import EpisodicMemory
import MemoryLMDB
import MemorySQLite
public import Logging

extension Memory {
  /// How to open a store.
  public struct OpenOptions: Sendable {
    public var access = Access.readWrite
    /// Whether to make a store where there is none.
    public var create = true
    /// How long to wait for another process or program that keeps a lock, before a call fails with `.busy`.
    public var busyTimeout = Duration.seconds(30)
    public var durability = Memory.Durability.full
    public var cache = CacheOptions()
    public var index = IndexOptions()
    public var limits = Memory.Limits()
    public var clock: any WallClock = SystemClock()
    public var logger = Logger(label: "episodic")

    public init() {}
  }

  /// What a store is opened for.
  public enum Access: Sendable {
    /// Reading and writing; only reading, without cache and index, where the files or their directory cannot be written.
    case readWrite
    /// Only reading, without cache and index: no file is made or changed, and a write throws `.unavailable`.
    case readOnly
  }

  /// The index of words and vectors.
  public struct IndexOptions: Sendable {
    /// Without it the primary searches alone: exact, and as slow as there is much in it.
    public var isEnabled = true

    public init() {}
  }

  /// The cache in front of the primary.
  public struct CacheOptions: Sendable {
    public var isEnabled = true
    /// Bytes that its entries may take.
    public var capacity = 256 << 20
    /// Entries that there may be, besides; `nil` for no such bound. Alike in every process, as the capacity.
    public var maximumEntries: Int?
    /// What the cache's file can never pass, in bytes; `nil` for more than the capacity needs. Alike in every process.
    public var maximumFileSize: Int?
    /// How long an entry may be served; each differs by up to a tenth, so that they do not all end at once.
    public var lifetimes: [CacheKey.Kind: Duration] = [
      .episode: .seconds(3600), .pattern: .seconds(1800), .query: .seconds(300),
    ]

    /// Whether completing or failing an episode puts it into the cache, so that the first to read it finds it there. Costs
    /// that call a fill.
    public var prefetchesEnded = false

    public init() {}
  }
}

extension Memory {
  /// Opens the store in a directory; makes it where there is none and `options.create` allows it.
  ///
  /// The directory holds `memory.sqlite`, the truth, and `cache.lmdb/`, which may vanish at any time: the cache, and in its
  /// folder `index/` the search index. Several processes may open one store. A cache or an index that cannot be used is
  /// left out and logged: it costs time, never an answer (I1).
  ///
  /// An existing store is opened without waiting for who writes to it. What may wait leaves the caller's executor.
  ///
  /// - Parameter directory: A path; `~` and `~/...` are in the home directory.
  /// - Throws: `.notAStore` where there is none, or one of a newer version; `.unavailable` without permission; `.busy` where
  ///   another process makes or migrates it for longer than `busyTimeout`; `.corrupted` where the primary is damaged.
  public static func open(
    at directory: String, options: OpenOptions = OpenOptions()
  ) async throws(MemoryError) -> Memory {
    // Opening waits for disks and locks, so not on the caller's executor.
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      try await openTiers(at: directory, options)
    }
  }

  private static func openTiers(
    at directory: String, _ options: OpenOptions
  ) async throws(MemoryError) -> Memory {
    let directory = try StoreDirectory(directory)
    let primary = try await SQLitePrimaryStore(
      path: directory.primary, isReadOnly: options.access == .readOnly, create: options.create,
      durability: options.durability, busyTimeout: options.busyTimeout, logger: options.logger)
    let cache = cache(for: primary, at: directory.cache, options)
    let index = index(for: primary, at: directory.index, options)
    primary.onFullDisk {
      (cache as? RecoveringCache)?.giveWay()
      (index as? RecoveringIndex)?.giveWay()
    }
    return Memory(
      primary: primary, cache: cache, index: index, clock: options.clock,
      limits: options.limits, prefetchesEnded: options.cache.prefetchesEnded, busyTimeout: options.busyTimeout)
  }

  private static func index(
    for primary: SQLitePrimaryStore, at path: String, _ options: OpenOptions
  ) -> any SearchIndex {
    guard options.index.isEnabled else { return NoIndex(because: "it is switched off") }
    if let reason = primary.readOnlyReason { return NoIndex(because: "the store is open for reading only: \(reason)") }
    return LMDBSearchIndex.open(at: path, store: primary.identity, clock: options.clock, logger: options.logger)
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
      at: path, store: primary.identity, clock: options.clock, options: cacheOptions, logger: options.logger)
  }
}
