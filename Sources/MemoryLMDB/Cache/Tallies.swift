import ByteCoding
import EpisodicMemory

/// What a cache did since its files were made, over all processes, what it holds, and where its policy stands.
struct Tallies: Equatable {
  /// In the order of `CacheKey.Kind.allCases`.
  private var counts = CacheKey.Kind.allCases.map { _ in CacheStatistics.Counts() }
  var failures = 0
  /// The number of the next fill, from 1.
  var nextSequence: UInt64 = 1
  /// What the entries in the window take; the others are in the main area.
  var windowBytes = 0
  var windowEntries = 0
  /// How far round the main area the clock's hand has got: the number of the fill it points at.
  var hand: UInt64 = 0
  /// The number that ends the hand's lap: what comes later waits for the next one, as if it were put behind the hand.
  var lapEnd: UInt64 = 0

  init() {}

  subscript(kind: CacheKey.Kind) -> CacheStatistics.Counts {
    get { counts[Int(kind.rawValue) - 1] }
    set { counts[Int(kind.rawValue) - 1] = newValue }
  }

  /// Bytes of all entries, as `PageCost` counts them.
  var bytes: Int { counts.reduce(0) { $0 &+ $1.bytes } }
  var entries: Int { counts.reduce(0) { $0 &+ $1.entries } }

  /// Adds what another one counted.
  mutating func add(_ other: Tallies) {
    for kind in CacheKey.Kind.allCases {
      for field in Self.fields { self[kind][keyPath: field] &+= other[kind][keyPath: field] }
    }
    failures &+= other.failures
  }

  /// Forgets the entries, and keeps what was done with them.
  mutating func forgetEntries() {
    for kind in CacheKey.Kind.allCases {
      self[kind].entries = 0
      self[kind].bytes = 0
    }
    windowBytes = 0
    windowEntries = 0
  }

  func encode(to bytes: inout ByteWriter) {
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

  init(from bytes: inout ByteReader) throws(MalformedBytes) {
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
