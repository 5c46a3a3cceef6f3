/// What the cache did and holds.
public struct CacheStatistics: Hashable, Sendable {
  /// What is cached; each kind has a time to live of its own.
  public enum Kind: UInt8, CaseIterable, Sendable {
    /// An episode, by its id.
    case episode = 1
    /// A pattern, by its type and data.
    case pattern = 2
    /// The answer of a query.
    case query = 3

    /// As the first part of a key: `episode`, `pattern`, `query`.
    public var name: String {
      switch self {
      case .episode: "episode"
      case .pattern: "pattern"
      case .query: "query"
      }
    }
  }

  /// What one kind of entry did and holds.
  public struct Counts: Hashable, Sendable {
    /// Reads that the cache answered.
    public var hits = 0
    /// Reads that it could not answer.
    public var misses = 0
    /// Misses whose entry had expired.
    public var expired = 0
    /// Misses whose entry a later change had invalidated.
    public var stale = 0
    /// Values that were stored after a miss.
    public var fills = 0
    /// Values that were not stored: too large, or the primary had changed since they were read.
    public var refused = 0
    /// Entries removed to make room.
    public var evicted = 0
    /// How many there are.
    public var entries = 0
    /// Size of the entries.
    public var bytes = 0

    /// Nothing yet.
    public init() {}

    /// Share of the reads that were hits; `nil` before the first read.
    public var hitRate: Double? {
      hits + misses == 0 ? nil : Double(hits) / Double(hits + misses)
    }
  }

  /// Counts by kind; kinds that were not used may be missing.
  public var kinds: [Kind: Counts]
  /// Identifies the cache's files: the counts of others began at 0. `nil` if nothing is counted.
  public var epoch: UInt64?
  /// Bytes that the entries may take.
  public var capacity: Int
  /// Entries that there may be; `nil` for no such limit.
  public var maximumEntries: Int?
  /// Reads and writes that failed and counted as misses, because the cache was damaged, full or locked.
  public var failures: Int
  /// Why there is no cache; `nil` if there is one.
  public var unavailable: String?
  /// Since when there is none; `nil` if there is one, or none is wanted.
  public var unavailableSince: Timestamp?
  /// The time from which the next read tries to open it again.
  public var nextAttempt: Timestamp?
  /// Why it cannot be written: it answers from what it has until the next commit.
  public var notWritable: String?
  /// Since when it cannot be written; `nil` if it can.
  public var notWritableSince: Timestamp?

  /// Statistics of a cache; for doubles in tests.
  public init(
    kinds: [Kind: Counts] = [:], capacity: Int = 0, maximumEntries: Int? = nil,
    failures: Int = 0, unavailable: String? = nil
  ) {
    self.kinds = kinds
    self.capacity = capacity
    self.maximumEntries = maximumEntries
    self.failures = failures
    self.unavailable = unavailable
  }

  /// The counts of a kind; all 0 if it was not used.
  public subscript(kind: Kind) -> Counts { kinds[kind] ?? Counts() }
}
