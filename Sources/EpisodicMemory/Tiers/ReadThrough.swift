import FileLocks

/// Reads through the two tiers: gate, cache, primary, fill.
struct ReadThrough: Sendable {
  let primary: any PrimaryStore
  let cache: any Cache
  let gate: FreshnessGate
  private let episodes = SingleFlight<Episode?>()
  private let patterns = SingleFlight<Pattern?>()
  let searches = SingleFlight<[Hit]>()

  init(primary: any PrimaryStore, cache: any Cache) {
    self.primary = primary
    self.cache = cache
    gate = FreshnessGate(primary: primary, cache: cache)
  }

  func episode(_ id: Episode.ID) async throws(MemoryError) -> Episode? {
    let key = CacheKey.episode(id)
    return switch try await find(key, as: Episode.self) {
    case .found(let episode, _): episode
    case .missed(let stamp): try await load(id, at: stamp)
    }
  }

  /// Reads an episode that the cache does not have.
  ///
  /// - Parameter stamp: Taken before the call; `nil` keeps it out of the cache.
  private func load(_ id: Episode.ID, at stamp: CommitStamp?) async throws(MemoryError) -> Episode? {
    try await fill(.episode(id), .episode(id.rawValue), episodes, at: stamp) { primary async throws(MemoryError) in
      try await primary.episode(id)
    }
  }

  /// Reads episodes that the cache does not have, and fills those of one snapshot in one transaction.
  ///
  /// - Parameter stamp: Taken before the call.
  /// - Returns: In the order of the ids; without those that are not there.
  func load(_ ids: [Episode.ID], at stamp: CommitStamp) async throws(MemoryError) -> [Episode] {
    var found: [Episode] = []
    var fills: [CacheFill] = []
    var filledAt: Watermark?
    for id in ids {
      var mine: Versioned<Episode?>?
      let episode = try await episodes.join(.episode(id), at: stamp) { () async throws(MemoryError) in
        let episode = try await primary.episode(id)
        mine = episode
        return episode.value
      }
      if let episode { found.append(episode) }
      guard let mine else { continue }
      if let asOf = filledAt, asOf != mine.asOf {
        await keep(fills, asOf: asOf)
        fills = []
      }
      filledAt = mine.asOf
      fills.append(CacheFill(.episode(id), with: mine.value, tags: [.episode(id.rawValue)], afterMiss: true))
    }
    if let filledAt { await keep(fills, asOf: filledAt) }
    return found
  }

  func pattern(_ type: PatternType, hash: String) async throws(MemoryError) -> Pattern? {
    let key = CacheKey.pattern(type, hash: hash)
    return switch try await find(key, as: Pattern.self) {
    case .found(let pattern, _): pattern
    case .missed(let stamp):
      try await fill(key, .pattern(key.name), patterns, at: stamp) { primary async throws(MemoryError) in
        try await primary.pattern(type, hash: hash)
      }
    }
  }

  /// Puts an episode into the cache that is likely to be read soon.
  func prefetch(_ episode: Versioned<Episode>) async {
    guard cache.isAvailable else { return }
    do throws(MemoryError) {
      guard case .done = try await gate.catchUp(to: try primary.commitStamp()) else { return }
      let id = episode.value.id
      let fill = CacheFill(.episode(id), with: episode.value, tags: [.episode(id.rawValue)], afterMiss: false)
      await keep([fill], asOf: episode.asOf)
    } catch {
      // The write that came before stands, and this promises nothing; whatever is wrong the next read will say.
    }
  }

  /// What the cache has to say.
  enum Outcome<Value> {
    /// The value, `nil` where the primary has none, as of that stamp.
    case found(Value?, at: CommitStamp)
    /// The primary must be asked; at that stamp the cache had nothing. `nil` where the cache cannot be asked or filled.
    case missed(CommitStamp?)
  }

  /// Looks a value up in a cache that has caught up with the last commit.
  func find<Value: Cacheable>(
    _ key: CacheKey, as type: Value.Type = Value.self
  ) async throws(MemoryError) -> Outcome<Value> {
    guard cache.isAvailable else { return .missed(nil) }
    for _ in 0..<FreshnessGate.maximumTries {
      let stamp = try primary.commitStamp()
      if gate.isOpen {
        switch cache.find(key, .at(stamp)) {
        case .hit(let encoded):
          guard let value: Value = decode(encoded, key) else { return .missed(stamp) }
          return .found(value, at: stamp)
        case .absent: return .found(nil, at: stamp)
        case .miss: return .missed(stamp)
        case .behind:
          // Another process may have moved the cache on to a commit that came after the stamp.
          if try primary.commitStamp() != stamp { continue }
        }
      }
      if case .unavailable = try await gate.catchUp(to: stamp) { break }
    }
    return .missed(nil)
  }

  /// Looks values up that belong to an answer found at `stamp`: only those that the cache has as of that moment.
  func find<Value: Cacheable>(_ key: CacheKey, as type: Value.Type = Value.self, at stamp: CommitStamp) -> Value? {
    guard case .hit(let encoded) = cache.find(key, .at(stamp)) else { return nil }
    return decode(encoded, key)
  }

  /// An entry that its checksum vouches for and that is no value was written by another build: it goes.
  func decode<Value: Cacheable>(_ encoded: EncodedValue, _ key: CacheKey) -> Value? {
    do {
      return try Value(from: encoded)
    } catch {
      cache.reject(key)
      return nil
    }
  }

  /// Values that are encoded and filled on the calling thread, if nobody else writes to the cache: in some ten
  /// microseconds each.
  private static let briefFills = 16

  /// Fills the cache. Waits for others that write to it, a fifth of a second at most, but not on the caller's executor.
  func keep(_ fills: [CacheFill], asOf: Watermark) async {
    guard !fills.isEmpty, cache.isAvailable else { return }
    if fills.count <= Self.briefFills, cache.fill(fills, asOf: asOf, waits: false) { return }
    let cache = cache
    do throws(MemoryError) {
      try await BlockingWork.shared.run { () throws(MemoryError) in
        _ = cache.fill(fills, asOf: asOf, waits: true)
      }
    } catch {
      // Whoever was cancelled has the answer all the same; it is kept by the next to ask.
    }
  }

  /// Reads the primary, together with others that want the same, and keeps what it says.
  private func fill<Value: Cacheable>(
    _ key: CacheKey, _ tag: CacheTag, _ flights: SingleFlight<Value?>, at stamp: CommitStamp?,
    load: (any PrimaryStore) async throws(MemoryError) -> Versioned<Value?>
  ) async throws(MemoryError) -> Value? {
    guard let stamp else { return try await load(primary).value }
    return try await flights.join(key, at: stamp) { () async throws(MemoryError) in
      let found = try await load(primary)
      await keep([CacheFill(key, with: found.value, tags: [tag], afterMiss: true)], asOf: found.asOf)
      return found.value
    }
  }
}
