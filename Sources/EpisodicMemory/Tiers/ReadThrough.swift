import ByteCoding
import FileLocks

/// Reads through the two tiers: gate, cache, primary, fill.
struct ReadThrough: Sendable {
  let primary: any PrimaryStore
  let cache: any Cache
  let gate: FreshnessGate
  let episodes = SingleFlight<Episode?>()
  let patterns = SingleFlight<Pattern?>()
  let searches = SingleFlight<[Hit]>()

  init(primary: any PrimaryStore, cache: any Cache) {
    self.primary = primary
    self.cache = cache
    gate = FreshnessGate(primary: primary, cache: cache)
  }

  // MARK: Hits

  /// Looks a value up in the cache, brought to the last commit first if it is behind.
  ///
  /// - Returns: A hit or a miss, and the commit as of which the cache says so; `nil` if the cache cannot follow the primary,
  ///   so that nothing is to be filled either.
  func find<Value: Cacheable>(
    _ key: CacheKey, as type: Value.Type = Value.self
  ) async throws(MemoryError) -> (lookup: CacheLookup<Value>, stamp: CommitStamp?) {
    guard cache.isAvailable else { return (.miss, nil) }
    for _ in 0..<FreshnessGate.maximumTries {
      let stamp = try primary.commitStamp()
      if gate.isOpen {
        switch cache.find(key, .at(stamp)) {
        case .hit(let encoded): return (decode(encoded, key), stamp)
        case .miss: return (.miss, stamp)
        case .behind:
          // Another process may have brought the cache to a commit after the stamp.
          if try primary.commitStamp() != stamp { continue }
        }
      }
      if case .unavailable = try await gate.catchUp(to: stamp) { break }
    }
    return (.miss, nil)
  }

  /// Looks a value up in the cache as it is.
  func find<Value: Cacheable>(_ key: CacheKey, _ freshness: Freshness) -> CacheLookup<Value> {
    switch cache.find(key, freshness) {
    case .hit(let encoded): decode(encoded, key)
    case .miss: .miss
    case .behind: .behind
    }
  }

  /// Intact bytes that are no value were written by another build: the entry is removed.
  @inline(__always)
  private func decode<Value: Cacheable>(_ encoded: EncodedValue?, _ key: CacheKey) -> CacheLookup<Value> {
    do {
      return .hit(try encoded.map { encoded throws(MalformedBytes) in try Value(from: encoded) })
    } catch {
      cache.reject(key)
      return .miss
    }
  }

  // MARK: Misses

  /// Reads a value that the cache does not have from the primary, together with others that miss the same key, and fills
  /// the cache.
  ///
  /// - Parameter stamp: Of the miss; `nil` fills nothing.
  func load<Value: Cacheable>(
    _ key: CacheKey, at stamp: CommitStamp?, sharing flights: SingleFlight<Value?>,
    read: (any PrimaryStore) async throws(MemoryError) -> Versioned<Value?>
  ) async throws(MemoryError) -> Value? {
    guard let stamp else { return try await read(primary).value }
    return try await flights.join(key, at: stamp) { () async throws(MemoryError) in
      let found = try await read(primary)
      if found.isCacheable { await fill([CacheFill(key, with: found.value, afterMiss: true)], asOf: found.asOf) }
      return found.value
    }
  }

  /// Reads episodes that the cache does not have, and fills those of one snapshot in one transaction.
  ///
  /// - Parameter stamp: Taken before the call.
  /// - Returns: In the order of the ids; without those that the primary does not have.
  func load(_ ids: [Episode.ID], at stamp: CommitStamp) async throws(MemoryError) -> [Episode] {
    var found: [Episode] = []
    var fills: [CacheFill] = []
    var filledAt: Watermark?
    for id in ids {
      var own: Versioned<Episode?>?
      let episode = try await episodes.join(.episode(id), at: stamp) { () async throws(MemoryError) in
        let episode = try await primary.episode(id, steps: .all)
        own = episode
        return episode.value
      }
      if let episode { found.append(episode) }
      guard let own else { continue }
      if let asOf = filledAt, asOf != own.asOf {
        await fill(fills, asOf: asOf)
        fills = []
      }
      filledAt = own.asOf
      guard own.isCacheable else { continue }
      fills.append(CacheFill(.episode(id), with: own.value, afterMiss: true))
    }
    if let filledAt { await fill(fills, asOf: filledAt) }
    return found
  }

  /// Stores an episode in the cache that is likely to be read soon.
  func prefetch(_ episode: Versioned<Episode>) async {
    guard cache.isAvailable, episode.isCacheable else { return }
    do throws(MemoryError) {
      guard case .applied = try await gate.catchUp(to: try primary.commitStamp()) else { return }
      await fill([CacheFill(.episode(episode.value.id), with: episode.value, afterMiss: false)], asOf: episode.asOf)
    } catch {
      // A hint: the write before it stands, and the next read reports what is wrong.
    }
  }

  /// Values that are encoded and filled on the calling thread if no other writer holds the lock: 10 µs each.
  private static let briefFills = 16

  /// Fills the cache. Waits for other writers of the cache for 200 ms at most, and not on the caller's executor.
  func fill(_ fills: [CacheFill], asOf: Watermark) async {
    guard !fills.isEmpty, cache.isAvailable else { return }
    if fills.count <= Self.briefFills, cache.fill(fills, asOf: asOf, waits: false) { return }
    let cache = cache
    do throws(MemoryError) {
      try await BlockingWork.shared.run { () throws(MemoryError) in
        _ = cache.fill(fills, asOf: asOf, waits: true)
      }
    } catch {
      // The cancelled caller has its value; the next read fills it.
    }
  }
}
