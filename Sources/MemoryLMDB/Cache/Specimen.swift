import EpisodicMemory

/// An entry taken out of the cache to be compared with the primary.
struct Specimen: Sendable {
  enum Value: Equatable, Sendable {
    case episode(Episode)
    case pattern(Pattern)
  }

  let key: CacheKey
  let hash: UInt64
  /// Tells it from a later entry of the same key.
  let sequence: UInt64
  let value: Value

  /// What the primary has under its key; `nil` for nothing.
  func truth(in primary: any PrimaryStore) async throws(MemoryError) -> Value? {
    switch value {
    case .episode(let episode): try await primary.episode(episode.id).value.map(Value.episode)
    case .pattern(let pattern): try await primary.pattern(pattern.type, hash: pattern.dataHash).value.map(Value.pattern)
    }
  }
}

extension Specimen {
  /// `nil` for a kind that has no counterpart in the primary.
  ///
  /// - Throws: Where the payload is no such value, or not that of the key.
  init?(_ entry: CacheEntry, key: CacheKey, hash: UInt64) throws(MalformedBytes) {
    var reader = ByteReader(entry.payload)
    switch key.kind {
    case .episode:
      let episode = try Episode(from: &reader)
      guard CacheKey.episode(episode.id) == key else { throw MalformedBytes() }
      value = .episode(episode)
    case .pattern:
      let pattern = try Pattern(from: &reader)
      guard CacheKey.pattern(pattern.type, hash: pattern.dataHash) == key else { throw MalformedBytes() }
      value = .pattern(pattern)
    case .query: return nil
    }
    guard reader.isAtEnd else { throw MalformedBytes() }
    self.key = key
    self.hash = hash
    sequence = entry.sequence
  }
}
