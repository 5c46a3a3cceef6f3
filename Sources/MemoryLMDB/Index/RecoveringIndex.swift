package import EpisodicMemory

/// A search index that is silent while its files cannot be opened, and recovers by itself.
package typealias RecoveringIndex = RecoveringTier<LMDBSearchIndex>

extension LMDBSearchIndex: RecoverableTier {
  package static var name: String { "search index" }
  package static var consequence: String { "the primary searches alone" }
  package var loss: String? { state.loss }
  package static var isUsedWithoutLock: Bool { false }
}

extension RecoveringTier: SearchIndex where Tier == LMDBSearchIndex {
  package var isAvailable: Bool { usable() != nil }

  package func search<Value: Sendable>(
    _ request: RecallRequest, in source: any IndexSource, catchesUp: Bool,
    _ body: (any CandidateSource) throws(MemoryError) -> Value
  ) throws(MemoryError) -> IndexAnswer<Value> {
    try usable()?.search(request, in: source, catchesUp: catchesUp, body) ?? .silent
  }

  package func advance(in source: any IndexSource) throws(MemoryError) -> IndexProgress {
    try usable()?.advance(in: source) ?? .unavailable
  }

  package func maintain(while isWanted: () -> Bool) -> Bool { usable()?.maintain(while: isWanted) ?? false }

  package func removeAll() -> Bool { usable()?.removeAll() ?? true }

  package func statistics() -> IndexStatistics {
    if let index = usable() { return index.statistics() }
    let outage = outage
    var statistics = IndexStatistics(unavailable: outage?.reason ?? "it is being opened")
    statistics.unavailableSince = outage?.since
    statistics.nextAttempt = outage?.nextAttempt
    return statistics
  }

  package func check(in source: any IndexSource) throws(MemoryError) -> [MemoryCheck]? {
    try usable()?.check(in: source)
  }
}
