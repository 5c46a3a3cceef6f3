/// Answers in front of the primary: derived, disposable, and never older than the last commit (I1, I3).
///
/// A cache that is broken, full or locked is one that misses: nothing here throws.
public protocol Cache: Sendable {
  /// Whether it is of any use to ask; `false` spares the reader the gate.
  var isAvailable: Bool { get }
  /// Where in the primary's history the cache has got to; `nil` where it cannot say and must start anew.
  func watermark() -> Watermark?
  /// Forgets what the changes touched and moves the watermark; drops everything where the history does not continue.
  ///
  /// Only a cache that still stands where the batch was asked for takes it: of two that catch up at once, the slower
  /// one must not put the watermark back.
  func apply(_ batch: ChangeBatch) -> CatchUp
  /// Looks a value up and decodes it in place; whoever calls has made sure that the cache has caught up.
  func value<Value: Cacheable>(_ key: CacheKey, as type: Value.Type) -> Value?
  /// Keeps a value that was read from the primary, unless a change after `asOf` touched one of its tags.
  func fill<Value: Cacheable>(_ key: CacheKey, with value: Value, tags: [CacheTag], asOf: Watermark)
  /// Drops every entry.
  func removeAll()
  func statistics() -> CacheStatistics
  /// Compares what is in it with the truth.
  func check(against primary: any PrimaryStore) async -> [Check]
  func close()
}

/// What became of a batch of changes.
public enum CatchUp: Sendable {
  case applied
  /// Another process was faster: ask again from where the cache stands now.
  case overtaken
  case unavailable
}

/// The name of a cached value as the outside world knows it: `episode:{id}`, `pattern:{type}:{hash}`, `query:{hash}`.
public struct CacheKey: Hashable, Sendable {
  public enum Kind: UInt8, CaseIterable, Sendable {
    case episode = 1, pattern = 2, query = 3

    public var name: String {
      switch self {
      case .episode: "episode"
      case .pattern: "pattern"
      case .query: "query"
      }
    }
  }

  public let kind: Kind
  /// What follows the kind and its colon.
  public let name: String

  public init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }

  public static func episode(_ id: Episode.ID) -> CacheKey { CacheKey(.episode, id.rawValue) }

  public static func pattern(_ type: PatternType, hash: String) -> CacheKey {
    CacheKey(.pattern, "\(type.rawValue):\(hash)")
  }
}

extension CacheKey: CustomStringConvertible {
  public var description: String { "\(kind.name):\(name)" }
}

/// Something that changes, on which cached values depend.
public enum CacheTag: Hashable, Sendable {
  case episode(String)
  case pattern(String)
  /// Episodes of a domain that are or were finished; with `includingActive`, all of them.
  case domain(String, includingActive: Bool)
  /// Likewise of all domains.
  case everything(includingActive: Bool)
}

/// A value with a binary form that is read in place.
public protocol Cacheable: Sendable {
  func encode(to bytes: inout ByteWriter)
  init(from bytes: inout ByteReader) throws(MalformedBytes)
}

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
    public var hitRate: Double? { hits + misses == 0 ? nil : Double(hits) / Double(hits + misses) }
  }

  public var kinds: [CacheKey.Kind: Counts]
  /// The most the entries may take.
  public var capacity: Int
  /// Times a broken, full or locked cache answered with a miss instead of an error.
  public var failures: Int
  /// Why there is no cache; `nil` where there is one.
  public var unavailable: String?

  public init(kinds: [CacheKey.Kind: Counts] = [:], capacity: Int = 0, failures: Int = 0, unavailable: String? = nil) {
    self.kinds = kinds
    self.capacity = capacity
    self.failures = failures
    self.unavailable = unavailable
  }

  public subscript(kind: CacheKey.Kind) -> Counts { kinds[kind] ?? Counts() }
}

/// No cache: every read goes to the primary.
public struct NoCache: Cache {
  private let reason: String

  public init(because reason: String) { self.reason = reason }

  public var isAvailable: Bool { false }
  public func watermark() -> Watermark? { nil }
  public func apply(_ batch: ChangeBatch) -> CatchUp { .unavailable }
  public func value<Value: Cacheable>(_ key: CacheKey, as type: Value.Type) -> Value? { nil }
  public func fill<Value: Cacheable>(_ key: CacheKey, with value: Value, tags: [CacheTag], asOf: Watermark) {}
  public func removeAll() {}
  public func statistics() -> CacheStatistics { CacheStatistics(unavailable: reason) }
  public func check(against primary: any PrimaryStore) async -> [Check] { [] }
  public func close() {}
}
