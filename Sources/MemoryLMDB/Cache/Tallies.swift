import EpisodicMemory

/// What a cache did since its files were made, over all processes, and what it holds.
struct Tallies: Equatable, Cacheable {
  /// In the order of `CacheKey.Kind.allCases`.
  private var counts = CacheKey.Kind.allCases.map { _ in CacheStatistics.Counts() }
  var failures = 0

  init() {}

  subscript(kind: CacheKey.Kind) -> CacheStatistics.Counts {
    get { counts[Int(kind.rawValue) - 1] }
    set { counts[Int(kind.rawValue) - 1] = newValue }
  }

  /// Bytes of all entries, as `PageCost` counts them.
  var bytes: Int { counts.reduce(0) { $0 &+ $1.bytes } }

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
  }

  func encode(to bytes: inout ByteWriter) {
    for kind in CacheKey.Kind.allCases {
      for field in Self.fields { bytes.write(Int64(self[kind][keyPath: field])) }
    }
    bytes.write(Int64(failures))
  }

  init(from bytes: inout ByteReader) throws(MalformedBytes) {
    for kind in CacheKey.Kind.allCases {
      for field in Self.fields { self[kind][keyPath: field] = Int(truncatingIfNeeded: try bytes.integer(Int64.self)) }
    }
    failures = Int(truncatingIfNeeded: try bytes.integer(Int64.self))
  }

  /// In the order in which they are written.
  private static let fields: [any WritableKeyPath<CacheStatistics.Counts, Int> & Sendable] = [
    \.hits, \.misses, \.expired, \.stale, \.fills, \.refused, \.evicted, \.entries, \.bytes,
  ]
}
