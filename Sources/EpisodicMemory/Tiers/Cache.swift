package import FileLocks

/// Values in front of the primary: derived, disposable, and never older than the last commit (I1, I3).
///
/// Nothing here throws: a cache that is broken, full or locked misses.
package protocol Cache: Sendable {
  /// Whether a lookup can hit.
  var isAvailable: Bool { get }
  /// The last change of the primary that the cache has applied; `nil` if it cannot tell and has to be emptied.
  func watermark() -> Watermark?
  /// Removes the entries that the changes invalidate and moves the watermark; removes all entries if the history does not
  /// continue.
  ///
  /// Writes nothing unless the watermark is still where the batch begins: of two callers that catch up at once, the slower
  /// one must not move the watermark back.
  ///
  /// - Parameter stamp: Taken before the batch was read. The cache stands there once a complete batch is applied.
  /// - Parameter waits: Whether to wait for other writers of the cache, for 200 ms at most.
  func apply(_ batch: ChangeBatch, stamp: CommitStamp, waits: Bool) -> BatchOutcome
  /// Looks a value up, in one snapshot of the cache.
  func find(_ key: CacheKey, _ freshness: Freshness) -> CacheLookup<EncodedValue>
  /// Stores values read from one snapshot of the primary, in few transactions, if the cache's watermark is exactly `asOf`.
  ///
  /// - Parameter waits: Whether to wait for other writers of the cache, for 200 ms at most.
  /// - Returns: False if it would have had to wait: call again with `waits`.
  @discardableResult
  func fill(_ fills: [CacheFill], asOf: Watermark, waits: Bool) -> Bool
  /// Removes an entry whose bytes cannot be decoded, unless another writer holds the lock.
  func reject(_ key: CacheKey)
  /// Removes every entry.
  ///
  /// - Returns: False if another process holds the lock.
  @discardableResult
  func removeAll() -> Bool
  /// Removes some expired entries, and the reader slots of dead processes.
  ///
  /// - Returns: How many; 0 if there are no more; `nil` if another writer keeps the lock.
  func maintain() -> Int?
  func statistics() -> CacheStatistics
  /// Verifies its tables, and its entries against the primary.
  func check(against primary: any PrimaryStore) async -> [MemoryCheck]
  func close()
}

/// How old a cached value may be.
package enum Freshness: Sendable {
  /// As of that commit: the cache must stand there.
  case at(CommitStamp)
  /// Read from the primary that many milliseconds ago or later, whatever was committed since.
  case within(milliseconds: Int64)
}

/// What a cache has under a key.
package enum CacheLookup<Value: Sendable>: Sendable {
  /// The value; `nil` if the primary has nothing under the key.
  case hit(Value?)
  case miss
  /// The cache stands at another commit than the one given.
  case behind
}

/// A value to store in the cache.
package struct CacheFill: Sendable {
  package let key: CacheKey
  /// `nil` if the primary has nothing under the key, which is stored as well.
  package let value: (any Cacheable)?
  /// What the value depends on, beside the subject of its key: a change to that removes the entry.
  package let tags: [CacheTag]
  /// Whether a lookup of the key missed.
  package let afterMiss: Bool

  package init(_ key: CacheKey, with value: (any Cacheable)?, tags: [CacheTag] = [], afterMiss: Bool) {
    self.key = key
    self.value = value
    self.tags = tags
    self.afterMiss = afterMiss
  }

  /// Of a miss of an episode; `nil` if it was read in part, since an entry is the whole episode.
  ///
  /// - Parameter episode: `nil` if there is none.
  package init?(_ episode: Episode?, id: Episode.ID, afterMiss: Bool = true) {
    guard episode?.omittedSteps ?? 0 == 0 else { return nil }
    self.init(.episode(id), with: episode, afterMiss: afterMiss)
  }
}

/// The result of applying changes.
package enum BatchOutcome: Sendable {
  case applied
  /// Another writer holds the lock, and the call was not to wait.
  case busy
  /// Another caller moved the watermark first: read the feed from where the cache stands now.
  case overtaken
  case unavailable
}

/// The name of a cached value: `episode:{id}`, `pattern:{type}:{hash}` of a pattern that is shared,
/// `pattern:{type}:{hash}:{domain}` of a domain's, `query:{hash}`.
package struct CacheKey: Hashable, Sendable {
  package typealias Kind = CacheStatistics.Kind

  package let kind: Kind
  /// What follows the kind and its colon.
  package let name: String

  package init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }

  package static func episode(_ id: Episode.ID) -> CacheKey { CacheKey(.episode, id.rawValue) }

  /// Unambiguous: no type holds a colon with 64 hexadecimal digits behind it, so the first such digits are the hash.
  package static func pattern(_ type: PatternType, hash: String, domain: String?) -> CacheKey {
    CacheKey(.pattern, "\(type.rawValue):\(hash)" + (domain.map { ":" + $0 } ?? ""))
  }
}

extension CacheKey: CustomStringConvertible {
  package var description: String { "\(kind.name):\(name)" }
}

/// A set of episodes on which the answer to a query depends.
package enum CacheTag: Hashable, Sendable {
  /// The finished episodes of a domain; with `includingActive`, all of them.
  case domain(String, includingActive: Bool)
  /// The finished episodes of every domain; with `includingActive`, all of them.
  case everything(includingActive: Bool)
}

/// No cache: every read goes to the primary.
package struct NoCache: Cache {
  private let reason: String

  package init(because reason: String) { self.reason = reason }

  package var isAvailable: Bool { false }
  package func watermark() -> Watermark? { nil }
  package func apply(_ batch: ChangeBatch, stamp: CommitStamp, waits: Bool) -> BatchOutcome { .unavailable }
  package func find(_ key: CacheKey, _ freshness: Freshness) -> CacheLookup<EncodedValue> { .miss }
  package func fill(_ fills: [CacheFill], asOf: Watermark, waits: Bool) -> Bool { true }
  package func reject(_ key: CacheKey) {}
  package func removeAll() -> Bool { true }
  package func maintain() -> Int? { 0 }
  package func statistics() -> CacheStatistics { CacheStatistics(unavailable: reason) }
  package func check(against primary: any PrimaryStore) async -> [MemoryCheck] { [] }
  package func close() {}
}
