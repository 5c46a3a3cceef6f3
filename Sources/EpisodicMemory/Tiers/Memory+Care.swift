extension Memory {
  /// What both tiers hold, and what the cache did.
  public func statistics() async throws(MemoryError) -> MemoryStatistics {
    MemoryStatistics(primary: try await primary.statistics(), cache: cache.statistics())
  }

  /// What the cache did and holds: the same without asking the primary, in microseconds.
  public func cacheStatistics() -> CacheStatistics { cache.statistics() }

  /// Verifies the primary (integrity, foreign keys, full text, change feed) and the cache against it.
  ///
  /// Cost: reads everything once.
  public func check() async throws(MemoryError) -> [Check] {
    let checks = try await primary.check()
    // A cache that has not caught up is not wrong, only behind; so it is made to catch up first.
    if cache.isAvailable { _ = try await reads.gate.catchUp(to: try primary.commitStamp()) }
    return checks + (await cache.check(against: primary))
  }

  /// Makes everything derived anew: empties the cache, which fills itself again, and rebuilds the full-text indexes.
  ///
  /// - Parameter progress: Called with a word on each stage before it starts.
  public func rebuild(progress: (String) -> Void = { _ in }) async throws(MemoryError) {
    progress("cache")
    cache.removeAll()
    reads.gate.forget()
    progress("full-text indexes")
    try await primary.rebuildTextIndexes()
  }

  /// Checkpoints, lets go of the files, and makes the memory unusable. Not required: a memory that is dropped loses
  /// nothing.
  public func close() async throws(MemoryError) {
    cache.close()
    try await primary.close()
  }
}

/// What both tiers hold, and what the cache did.
public struct MemoryStatistics: Hashable, Sendable {
  public let primary: PrimaryStatistics
  public let cache: CacheStatistics

  public init(primary: PrimaryStatistics, cache: CacheStatistics) {
    self.primary = primary
    self.cache = cache
  }
}
