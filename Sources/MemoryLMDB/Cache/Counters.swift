import EpisodicMemory
import Synchronization

/// What happened in this process and is not in `Tallies` yet: counting a hit must not cost a write.
final class Counters: Sendable {
  /// Of one kind of entry.
  final class Kind: Sendable {
    let hits = Atomic(0)
    let misses = Atomic(0)
    let expired = Atomic(0)
    let stale = Atomic(0)
    let refused = Atomic(0)
  }

  private let episodes = Kind()
  private let patterns = Kind()
  private let queries = Kind()
  let failures = Atomic(0)

  subscript(kind: CacheKey.Kind) -> Kind {
    switch kind {
    case .episode: episodes
    case .pattern: patterns
    case .query: queries
    }
  }

  func snapshot() -> Tallies {
    collect { $0.load(ordering: .relaxed) }
  }

  /// What was counted, which starts at zero again; `putBack` where it could not be kept.
  func take() -> Tallies {
    collect { $0.exchange(0, ordering: .relaxed) }
  }

  func putBack(_ tallies: Tallies) {
    for kind in CacheKey.Kind.allCases {
      let counts = tallies[kind]
      self[kind].hits.wrappingAdd(counts.hits, ordering: .relaxed)
      self[kind].misses.wrappingAdd(counts.misses, ordering: .relaxed)
      self[kind].expired.wrappingAdd(counts.expired, ordering: .relaxed)
      self[kind].stale.wrappingAdd(counts.stale, ordering: .relaxed)
      self[kind].refused.wrappingAdd(counts.refused, ordering: .relaxed)
    }
    failures.wrappingAdd(tallies.failures, ordering: .relaxed)
  }

  private func collect(_ read: (borrowing Atomic<Int>) -> Int) -> Tallies {
    var tallies = Tallies()
    for kind in CacheKey.Kind.allCases {
      let counters = self[kind]
      tallies[kind].hits = read(counters.hits)
      tallies[kind].misses = read(counters.misses)
      tallies[kind].expired = read(counters.expired)
      tallies[kind].stale = read(counters.stale)
      tallies[kind].refused = read(counters.refused)
    }
    tallies.failures = read(failures)
    return tallies
  }
}
