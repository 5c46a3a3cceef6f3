/// Reads through the two tiers: gate, cache, primary, fill.
struct ReadThrough: Sendable {
  let primary: any PrimaryStore
  let cache: any Cache
  let gate: FreshnessGate

  init(primary: any PrimaryStore, cache: any Cache) {
    self.primary = primary
    self.cache = cache
    gate = FreshnessGate(primary: primary, cache: cache)
  }

  /// - Parameter hasPassedGate: Whether the caller has passed the gate, and will ask whether its stamp still holds.
  func episode(_ id: Episode.ID, hasPassedGate: Bool = false) async throws(MemoryError) -> Episode? {
    try await value(.episode(id), tags: [.episode(id.rawValue)], hasPassedGate: hasPassedGate) {
      primary async throws(MemoryError) in
      try await primary.episode(id)
    }
  }

  func pattern(_ type: PatternType, hash: String) async throws(MemoryError) -> Pattern? {
    let key = CacheKey.pattern(type, hash: hash)
    return try await value(key, tags: [.pattern(key.name)]) { primary async throws(MemoryError) in
      try await primary.pattern(type, hash: hash)
    }
  }

  private func value<Value: Cacheable>(
    _ key: CacheKey, tags: [CacheTag], hasPassedGate: Bool = false,
    load: (any PrimaryStore) async throws(MemoryError) -> Versioned<Value?>
  ) async throws(MemoryError) -> Value? {
    if !hasPassedGate, try await gate.pass() == nil { return try await load(primary).value }
    if let value = cache.value(key, as: Value.self) { return value }
    let found = try await load(primary)
    if let value = found.value { cache.fill(key, with: value, tags: tags, asOf: found.asOf) }
    return found.value
  }
}
