import EpisodicMemory

/// What a stretch of the change feed means to the cache: each tag and each key once, however often it changed.
struct TouchedTags {
  /// Hash of the tag, revision of its last change.
  private(set) var tags: [UInt64: Int64] = [:]
  /// Hashes of the keys whose own subject changed.
  private(set) var keys: Set<UInt64> = []
  /// Whether there was a change of which nobody can say what it touched.
  private(set) var isUnbounded = false

  init(_ changes: [Change]) {
    for change in changes { add(change) }
  }

  private mutating func add(_ change: Change) {
    switch change.subject {
    case .episode:
      touch(.episode(change.key), change)
      keys.insert(CacheKey(.episode, change.key).hash)
      touchEpisodes(change)
      // Every episode has a domain; one that is not known may have been any.
      if change.domain == nil { isUnbounded = true }
    case .pattern:
      touch(.pattern(change.key), change)
      keys.insert(CacheKey(.pattern, change.key).hash)
    case .embedding:
      // One without a domain is that of an episode that is gone, whose own change touches the domain.
      touchEpisodes(change)
    }
  }

  private mutating func touchEpisodes(_ change: Change) {
    for includingActive in change.finished ? [true, false] : [true] {
      touch(.everything(includingActive: includingActive), change)
      if let domain = change.domain { touch(.domain(domain, includingActive: includingActive), change) }
    }
  }

  private mutating func touch(_ tag: CacheTag, _ change: Change) {
    tags[tag.hash, default: .min] = max(tags[tag.hash] ?? .min, change.revision)
  }
}
