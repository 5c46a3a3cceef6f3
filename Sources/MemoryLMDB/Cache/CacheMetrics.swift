import CoreMetrics
import EpisodicMemory

/// What the cache does in this process, for whatever metrics system its program has set up.
///
/// Counters `episodic_cache_hits`, `_misses`, `_expired`, `_stale`, `_fills`, `_refused`, `_evicted`, with the dimension `kind`, and `episodic_cache_failures`; gauges `episodic_cache_entries` and `_bytes` of all processes.
/// Brought up to date when the cache writes down what it counted: at each fill and every few thousand hits.
struct CacheMetrics: Sendable {
  private struct Field {
    let name: String
    let value: @Sendable (CacheStatistics.Counts) -> Int
  }

  private static let fields = [
    Field(name: "hits") { $0.hits }, Field(name: "misses") { $0.misses }, Field(name: "expired") { $0.expired },
    Field(name: "stale") { $0.stale }, Field(name: "fills") { $0.fills }, Field(name: "refused") { $0.refused },
    Field(name: "evicted") { $0.evicted },
  ]

  /// In the order of kinds, then of fields.
  private let counters: [Counter]
  private let failures: Counter
  private let entries: Gauge
  private let bytes: Gauge

  init(factory: any MetricsFactory) {
    counters = CacheKey.Kind.allCases.flatMap { kind in
      Self.fields.map { field in
        Counter(label: "episodic_cache_\(field.name)", dimensions: [("kind", kind.name)], factory: factory)
      }
    }
    failures = Counter(label: "episodic_cache_failures", dimensions: [], factory: factory)
    entries = Gauge(label: "episodic_cache_entries", dimensions: [], factory: factory)
    bytes = Gauge(label: "episodic_cache_bytes", dimensions: [], factory: factory)
  }

  /// - Parameter before: What all processes had written down before this one added its part.
  func report(_ after: Tallies, since before: Tallies) {
    var counters = counters[...]
    for kind in CacheKey.Kind.allCases {
      for field in Self.fields {
        let difference = field.value(after[kind]) &- field.value(before[kind])
        if difference > 0 { counters.first?.increment(by: difference) }
        counters = counters.dropFirst()
      }
    }
    if after.failures > before.failures { failures.increment(by: after.failures &- before.failures) }
    entries.record(after.entries)
    bytes.record(after.bytes)
  }
}
