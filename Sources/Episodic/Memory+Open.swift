public import EpisodicMemory
import MemoryLMDB
import MemorySQLite
public import Logging

extension Memory {
  /// How to open a store.
  public struct OpenOptions: Sendable {
    /// Whether to make a store where there is none.
    public var create = true
    public var durability = Durability.full
    public var cache = CacheOptions()
    public var index = IndexOptions()
    public var limits = Limits()
    public var clock: any WallClock = SystemClock()
    public var logger = Logger(label: "episodic")

    public init() {}
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
  /// - Throws: `.notAStore` where there is none, or one of a newer version; `.unavailable` without permission;
  ///   `.corrupted` where the primary is damaged.
  public static func open(
    at directory: String, options: OpenOptions = OpenOptions()
  ) async throws(MemoryError) -> Memory {
    let primary = try await SQLitePrimaryStore(
      path: directory + "/memory.sqlite", create: options.create, durability: options.durability,
      logger: options.logger)
    let derived = directory + "/cache.lmdb"
    let cache = cache(for: primary, at: derived, options)
    return Memory(
      primary: primary, cache: cache, index: index(for: primary, in: derived, options), clock: options.clock,
      limits: options.limits, prefetchesEnded: options.cache.prefetchesEnded)
  }

  private static func index(
    for primary: SQLitePrimaryStore, in derived: String, _ options: OpenOptions
  ) -> any SearchIndex {
    guard options.index.isEnabled else { return NoIndex(because: "it is switched off") }
    return LMDBSearchIndex.open(at: derived + "/index", store: primary.identity, logger: options.logger)
  }

  private static func cache(
    for primary: SQLitePrimaryStore, at path: String, _ options: OpenOptions
  ) -> any Cache {
    guard options.cache.isEnabled else { return NoCache(because: "it is switched off") }
    var cacheOptions = LMDBCache.Options()
    cacheOptions.capacity = options.cache.capacity
    cacheOptions.maximumEntries = options.cache.maximumEntries
    cacheOptions.maximumFileSize = options.cache.maximumFileSize
    for (kind, lifetime) in options.cache.lifetimes { cacheOptions[kind] = lifetime }
    return LMDBCache.open(
      at: path, store: primary.identity, clock: options.clock, options: cacheOptions, logger: options.logger)
  }
}
