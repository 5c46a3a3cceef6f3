import ByteCoding
import CoreMetrics
import EpisodicMemory
import LMDB
import Synchronization

/// Counts since the files were created, over all processes, and the state of the eviction: record 2 of `MetaTable`.
struct PersistedCounters: Equatable {
  static let key: UInt64 = 2

  /// In the order of `CacheKey.Kind.allCases`.
  private var counts = CacheKey.Kind.allCases.map { _ in CacheStatistics.Counts() }
  var failures = 0
  /// The number of the next fill, from 1.
  var nextSequence: UInt64 = 1
  /// Of the entries in the window; the others are in the main area.
  var windowBytes = 0
  var windowEntries = 0
  /// The position of the CLOCK hand in the main area: the sequence of the entry it points at.
  var hand: UInt64 = 0
  /// The sequence that ends the hand's lap: later entries wait for the next lap, as if they were inserted behind the hand.
  var lapEnd: UInt64 = 0

  init() {}

  subscript(kind: CacheKey.Kind) -> CacheStatistics.Counts {
    get { counts[Int(kind.rawValue) - 1] }
    set { counts[Int(kind.rawValue) - 1] = newValue }
  }

  /// Cost of all entries, as `PageCost` counts it.
  var bytes: Int { counts.reduce(0) { $0 &+ $1.bytes } }
  var entries: Int { counts.reduce(0) { $0 &+ $1.entries } }

  mutating func add(_ other: PersistedCounters) {
    for kind in CacheKey.Kind.allCases {
      for field in Self.fields { self[kind][keyPath: field] &+= other[kind][keyPath: field] }
    }
    failures &+= other.failures
  }

  /// For a cache that was emptied: what was done with the entries stays counted.
  mutating func removeEntries() {
    for kind in CacheKey.Kind.allCases {
      self[kind].entries = 0
      self[kind].bytes = 0
    }
    windowBytes = 0
    windowEntries = 0
  }

  fileprivate func encode(to bytes: inout ByteWriter) {
    for kind in CacheKey.Kind.allCases {
      for field in Self.fields { bytes.write(Int64(self[kind][keyPath: field])) }
    }
    bytes.write(Int64(failures))
    bytes.write(nextSequence)
    bytes.write(Int64(windowBytes))
    bytes.write(Int64(windowEntries))
    bytes.write(hand)
    bytes.write(lapEnd)
  }

  fileprivate init(from bytes: inout ByteReader) throws(MalformedBytes) {
    for kind in CacheKey.Kind.allCases {
      for field in Self.fields { self[kind][keyPath: field] = Int(truncatingIfNeeded: try bytes.integer(Int64.self)) }
    }
    failures = Int(truncatingIfNeeded: try bytes.integer(Int64.self))
    nextSequence = try bytes.integer()
    windowBytes = Int(truncatingIfNeeded: try bytes.integer(Int64.self))
    windowEntries = Int(truncatingIfNeeded: try bytes.integer(Int64.self))
    hand = try bytes.integer()
    lapEnd = try bytes.integer()
  }

  /// In the order in which they are written.
  private static let fields: [any WritableKeyPath<CacheStatistics.Counts, Int> & Sendable] = [
    \.hits, \.misses, \.expired, \.stale, \.fills, \.refused, \.evicted, \.entries, \.bytes,
  ]
}

extension MetaTable {
  func counters(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> PersistedCounters {
    try decode(PersistedCounters.key, "counters", in: transaction) { reader throws(MalformedBytes) in
      try PersistedCounters(from: &reader)
    } ?? PersistedCounters()
  }

  func put(_ counters: PersistedCounters, in transaction: inout WriteTransaction) throws(LMDBError) {
    var content = ByteWriter(capacity: 256)
    counters.encode(to: &content)
    try put(content, PersistedCounters.key, in: &transaction)
  }
}

/// Counts of this process that are not in `PersistedCounters` yet: counting a hit must not cost a write.
final class ProcessCounters: Sendable {
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

  func snapshot() -> PersistedCounters { collect { $0.load(ordering: .relaxed) } }

  /// Returns the counts and sets them to 0; `putBack` if they could not be written.
  func take() -> PersistedCounters { collect { $0.exchange(0, ordering: .relaxed) } }

  func putBack(_ taken: PersistedCounters) {
    for kind in CacheKey.Kind.allCases {
      let counts = taken[kind]
      self[kind].hits.wrappingAdd(counts.hits, ordering: .relaxed)
      self[kind].misses.wrappingAdd(counts.misses, ordering: .relaxed)
      self[kind].expired.wrappingAdd(counts.expired, ordering: .relaxed)
      self[kind].stale.wrappingAdd(counts.stale, ordering: .relaxed)
      self[kind].refused.wrappingAdd(counts.refused, ordering: .relaxed)
    }
    failures.wrappingAdd(taken.failures, ordering: .relaxed)
  }

  private func collect(_ read: (borrowing Atomic<Int>) -> Int) -> PersistedCounters {
    var result = PersistedCounters()
    for kind in CacheKey.Kind.allCases {
      let counters = self[kind]
      result[kind].hits = read(counters.hits)
      result[kind].misses = read(counters.misses)
      result[kind].expired = read(counters.expired)
      result[kind].stale = read(counters.stale)
      result[kind].refused = read(counters.refused)
    }
    result.failures = read(failures)
    return result
  }
}

/// The counts as metrics, for the metrics system that the program has set up.
///
/// Counters of this process, most with the dimension `kind`, and gauges of all processes; the page Telemetry lists them.
/// Reported whenever the counts are written: at each fill and every 4,096 hits.
struct CacheMetrics: Sendable {
  private struct Field {
    let label: String
    let value: @Sendable (CacheStatistics.Counts) -> Int
  }

  private static let fields = [
    Field(label: "episodic.cache.hits") { $0.hits }, Field(label: "episodic.cache.misses") { $0.misses },
    Field(label: "episodic.cache.expired") { $0.expired },
    Field(label: "episodic.cache.stale") { $0.stale }, Field(label: "episodic.cache.fills") { $0.fills },
    Field(label: "episodic.cache.refused") { $0.refused },
    Field(label: "episodic.cache.evicted") { $0.evicted },
  ]

  /// In the order of kinds, then of fields.
  private let counters: [Counter]
  private let failures: Counter
  private let entries: Gauge
  private let bytes: Gauge

  init(factory: any MetricsFactory) {
    counters = CacheKey.Kind.allCases.flatMap { kind in
      Self.fields.map { field in
        Counter(label: field.label, dimensions: [("kind", kind.name)], factory: factory)
      }
    }
    failures = Counter(label: "episodic.cache.failures", dimensions: [], factory: factory)
    entries = Gauge(label: "episodic.cache.entries", dimensions: [], factory: factory)
    bytes = Gauge(label: "episodic.cache.bytes", dimensions: [], factory: factory)
  }

  /// - Parameter before: The counters that this process found.
  /// - Parameter after: The counters that it wrote.
  func report(_ after: PersistedCounters, since before: PersistedCounters) {
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
