/// Answers in front of the primary: derived, disposable, and never older than the last commit (I1, I3).
///
/// A cache that is broken, full or locked is one that misses: nothing here throws.
package protocol Cache: Sendable {
  /// Whether it is of any use to ask.
  var isAvailable: Bool { get }
  /// Where in the primary's history the cache has got to; `nil` where it cannot say and must start anew.
  func watermark() -> Watermark?
  /// Forgets what the changes touched and moves the watermark; drops everything where the history does not continue.
  ///
  /// Only a cache that still stands where the batch was asked for takes it: of two that catch up at once, the slower
  /// one must not put the watermark back.
  ///
  /// One that does not is left as it is: then nothing is written.
  ///
  /// - Parameter stamp: Taken before the batch was read. The cache stands there where the batch is complete.
  /// - Parameter waits: Whether it may wait for others that write, a fifth of a second at most.
  func apply(_ batch: ChangeBatch, stamp: CommitStamp, waits: Bool) -> CatchUp
  /// Looks a value up, in one snapshot of the cache.
  func find(_ key: CacheKey, _ freshness: Freshness) -> Finding
  /// Keeps values that were read from one snapshot of the primary, in one transaction, if the cache knows of the primary
  /// up to `asOf` and no further.
  ///
  /// - Parameter waits: Whether it may wait for others that write, a fifth of a second at most.
  /// - Returns: False where it was not to wait and would have had to: call again where it may.
  @discardableResult
  func fill(_ fills: [CacheFill], asOf: Watermark, waits: Bool) -> Bool
  /// Drops an entry whose bytes turned out to be no value, unless others write just now.
  func reject(_ key: CacheKey)
  /// Drops every entry.
  ///
  /// - Returns: False where another process keeps it from doing so.
  @discardableResult
  func removeAll() -> Bool
  func statistics() -> CacheStatistics
  /// Compares what is in it with the truth.
  func check(against primary: any PrimaryStore) async -> [MemoryCheck]
  func close()
}

/// How old an answer may be.
public enum Freshness: Sendable {
  /// As of that moment: the cache must stand there.
  case at(CommitStamp)
  /// Read from the primary that many milliseconds ago or later, whatever was committed since.
  case within(milliseconds: Int64)
}

/// What a cache has under a key.
public enum Finding: Sendable {
  case hit(EncodedValue)
  /// The primary has nothing under that key.
  case absent
  case miss
  /// The cache stands at another moment than it was asked about.
  case behind
}

/// A value on its way into the cache.
public struct CacheFill: Sendable {
  public let key: CacheKey
  /// `nil` where the primary has nothing under that key, which is kept as well.
  package let value: (any Cacheable)?
  /// What the value depends on.
  public let tags: [CacheTag]
  /// Whether somebody asked for it and `find` did not have it.
  public let afterMiss: Bool

  package init(_ key: CacheKey, with value: (any Cacheable)?, tags: [CacheTag], afterMiss: Bool) {
    self.key = key
    self.value = value
    self.tags = tags
    self.afterMiss = afterMiss
  }
}

/// What became of a batch of changes.
public enum CatchUp: Sendable {
  case applied
  /// Others write just now, and it was not to wait for them.
  case busy
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

/// No cache: every read goes to the primary.
package struct NoCache: Cache {
  private let reason: String

  package init(because reason: String) { self.reason = reason }

  package var isAvailable: Bool { false }
  package func watermark() -> Watermark? { nil }
  package func apply(_ batch: ChangeBatch, stamp: CommitStamp, waits: Bool) -> CatchUp { .unavailable }
  package func find(_ key: CacheKey, _ freshness: Freshness) -> Finding { .miss }
  package func fill(_ fills: [CacheFill], asOf: Watermark, waits: Bool) -> Bool { true }
  package func reject(_ key: CacheKey) {}
  package func removeAll() -> Bool { true }
  package func statistics() -> CacheStatistics { CacheStatistics(unavailable: reason) }
  package func check(against primary: any PrimaryStore) async -> [MemoryCheck] { [] }
  package func close() {}
}
