package import FileLocks
package import EpisodicMemory

/// A cache that misses while its files cannot be opened, and recovers by itself.
package typealias RecoveringCache = RecoveringTier<LMDBCache>

extension LMDBCache: RecoverableTier {
  package static var name: String { "cache" }
  package static var consequence: String { "reads go to the primary" }
  package var loss: String? { state.loss }
  package static var isUsedWithoutLock: Bool { true }
}

extension RecoveringTier: Cache where Tier == LMDBCache {
  package var isAvailable: Bool {
    if let cache = opened, cache.isAvailable { return true }
    return usable() != nil
  }

  package func watermark() -> Watermark? { opened?.watermark() }

  package func apply(_ batch: ChangeBatch, stamp: CommitStamp, waits: Bool) -> BatchOutcome {
    guard let cache = opened else { return .unavailable }
    let outcome = cache.apply(batch, stamp: stamp, waits: waits)
    if case .applied = outcome, batch.isComplete { serve(cache) }
    return outcome
  }

  package func find(_ key: CacheKey, _ freshness: Freshness) -> CacheLookup<EncodedValue> {
    if let serving { return serving._withUnsafeGuaranteedRef { $0.find(key, freshness) } }
    guard opened != nil, case .at = freshness else { return .miss }
    return .behind
  }

  @discardableResult
  package func fill(_ fills: [CacheFill], asOf: Watermark, waits: Bool) -> Bool {
    opened?.fill(fills, asOf: asOf, waits: waits) ?? true
  }

  package func reject(_ key: CacheKey) { opened?.reject(key) }

  @discardableResult
  package func removeAll() -> Bool { opened?.removeAll() ?? true }

  package func maintain() -> Int? { opened?.maintain() ?? 0 }

  package func statistics() -> CacheStatistics {
    // As any other use, this opens the cache if an attempt is due.
    if let cache = usable() { return cache.statistics() }
    let outage = outage
    var statistics = CacheStatistics(unavailable: outage?.reason ?? "it is being opened")
    statistics.unavailableSince = outage?.since
    statistics.nextAttempt = outage?.nextAttempt
    return statistics
  }

  package func check(against primary: any PrimaryStore) async -> [MemoryCheck] {
    await opened?.check(against: primary) ?? []
  }
}
