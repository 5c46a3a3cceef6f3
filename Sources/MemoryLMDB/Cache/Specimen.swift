import ByteCoding
import EpisodicMemory

/// An entry taken out of the cache to be compared with the primary.
struct Specimen: Sendable {
  enum Value: Equatable, Sendable {
    case episode(Episode)
    case pattern(Pattern)
    /// That the primary has nothing there.
    case absent
  }

  let key: CacheKey
  let hash: UInt64
  /// Tells it from a later entry of the same key.
  let sequence: UInt64
  let value: Value

  /// What the primary has under its key.
  func truth(in primary: any PrimaryStore) async throws(MemoryError) -> Value {
    switch key.kind {
    case .episode:
      try await primary.episode(Episode.ID(rawValue: key.name)).value.map(Value.episode) ?? .absent
    case .pattern:
      // The hash is hexadecimal, so the last colon ends the type.
      if let colon = key.name.lastIndex(of: ":") {
        try await primary.pattern(
          PatternType(rawValue: String(key.name[..<colon])), hash: String(key.name[colon...].dropFirst())
        ).value.map(Value.pattern) ?? .absent
      } else {
        .absent
      }
    case .query: .absent
    }
  }
}

extension Specimen {
  /// `nil` for a kind that has no counterpart in the primary.
  ///
  /// - Throws: Where the payload is no such value, or not that of the key.
  init?(_ entry: CacheEntry, key: CacheKey, hash: UInt64) throws(MalformedBytes) {
    switch key.kind {
    case .query: return nil
    case .episode, .pattern: break
    }
    if entry.isAbsent {
      value = .absent
    } else if key.kind == .episode {
      let episode = try Episode(from: EncodedValue([UInt8](entry.payload)))
      guard CacheKey.episode(episode.id) == key else { throw MalformedBytes() }
      value = .episode(episode)
    } else {
      let pattern = try Pattern(from: EncodedValue([UInt8](entry.payload)))
      guard CacheKey.pattern(pattern.type, hash: pattern.dataHash) == key else { throw MalformedBytes() }
      value = .pattern(pattern)
    }
    self.key = key
    self.hash = hash
    sequence = entry.sequence
  }
}
