/// What the cache did and holds.
public struct CacheStatistics: Hashable, Sendable {
  public struct Counts: Hashable, Sendable {
    public var hits = 0
    public var misses = 0
    /// Of the misses, those whose entry had outlived its time.
    public var expired = 0
    /// Of the misses, those whose entry a later change had overtaken.
    public var stale = 0
    public var fills = 0
    /// Values not kept because a change had overtaken them on their way.
    public var refused = 0
    /// Entries that left to make room.
    public var evicted = 0
    public var entries = 0
    public var bytes = 0

    public init() {}

    /// Share of the reads that were hits; `nil` before the first read.
    public var hitRate: Double? {
      hits + misses == 0 ? nil : Double(hits) / Double(hits + misses)
    }
  }

  public var kinds: [CacheKey.Kind: Counts]
  /// The most the entries may take.
  public var capacity: Int
  /// The most entries there may be; `nil` for no such bound.
  public var maximumEntries: Int?
  /// Times a broken, full or locked cache answered with a miss instead of an error.
  public var failures: Int
  /// Why there is no cache; `nil` where there is one.
  public var unavailable: String?
  /// Since when there is none; `nil` where there is one, or none is wanted.
  public var unavailableSince: Timestamp?
  /// When opening it is tried again, by whoever reads then.
  public var nextAttempt: Timestamp?
  /// Why nothing can be written to it: it answers from what it has, as long as nothing is committed.
  public var notWritable: String?
  public var notWritableSince: Timestamp?

  public init(
    kinds: [CacheKey.Kind: Counts] = [:], capacity: Int = 0, maximumEntries: Int? = nil,
    failures: Int = 0, unavailable: String? = nil
  ) {
    self.kinds = kinds
    self.capacity = capacity
    self.maximumEntries = maximumEntries
    self.failures = failures
    self.unavailable = unavailable
  }

  public subscript(kind: CacheKey.Kind) -> Counts { kinds[kind] ?? Counts() }
}
