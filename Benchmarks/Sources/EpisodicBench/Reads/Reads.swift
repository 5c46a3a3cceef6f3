import CRawSQLite
import Episodic
import Foundation

/// The ways to read an episode.
struct Reads {
  enum Kind: CaseIterable {
    case hit, floor, touched, decoded
    case miss, primary, encrypted, sqlite, raw, grdb
  }

  let kinds: [Kind]
  private var series: [Kind: Series]

  /// For an empty cache.
  static var cold: Reads {
    Reads([
      .miss: Series("miss", "memory.episode, not in the cache: read from the primary and filled in"),
      .primary: Series("primary, beside misses", "memory.episode with the cache switched off"),
    ])
  }

  /// For a cache that holds every episode, or no cache.
  ///
  /// - Parameter hasEncrypted: Whether there is a store whose domains are encrypted.
  static func warm(hasCache: Bool, hasEncrypted: Bool) -> Reads {
    var series: [Kind: Series] = [
      .floor: Series("floor", "a read transaction of LMDB, get, one copy of the bytes of the same episode"),
      .decoded: Series("full decode", "the same get, every value made from the bytes where they lie, all summed up"),
      .primary: Series("primary", "memory.episode with the cache switched off"),
      .sqlite: Series(
        "raw C", "SQLite's C interface: BEGIN, the episode, its steps, COMMIT, every column a Swift value"),
      .raw: Series("raw C, no values", "the same all in C, which reads every column and makes nothing of it"),
      .grdb: Series("GRDB", "pool.read, two cached statements, every column a Swift value"),
    ]
    if hasCache {
      series[.hit] = Series("hit", "memory.episode, in the cache")
      series[.touched] = Series("hit, touched", "the same, and every field of it and of its steps summed up")
    }
    if hasEncrypted {
      series[.encrypted] = Series("encrypted", "memory.episode of the same in encrypted domains, which are not cached")
    }
    return Reads(series)
  }

  private init(_ series: [Kind: Series]) {
    self.series = series
    kinds = Kind.allCases.filter { series[$0] != nil }
  }

  /// `nil` if that way was not measured.
  subscript(kind: Kind) -> Series? { series[kind].flatMap { $0.calls > 0 ? $0 : nil } }

  func rows(section: String) -> [Row] { kinds.compactMap { self[$0] }.map { Row($0, section: section) } }

  /// Reads episodes one after the other.
  ///
  /// - Returns: The sum of all fields; `nil` if this way does not read them.
  mutating func read(_ ids: ArraySlice<ReadID>, by kind: Kind, _ stores: ReadStores) async throws -> UInt64? {
    // Moved out, so that recording does not copy it.
    guard var series = series.removeValue(forKey: kind) else { return nil }
    defer { self.series[kind] = series }
    switch kind {
    case .hit: return try await Self.hits(ids, stores.cached, &series)
    case .floor: return try Self.copies(ids, stores.lmdb, &series)
    case .touched: return try await Self.touchedHits(ids, stores.cached, &series)
    case .decoded:
      return try Self.digests(ids, &series) { id in
        try stores.lmdb.withEntry(id.hash) { try PlainEpisode(decoding: $0).digest }
      }
    case .raw: return try Self.digests(ids, &series) { id in try stores.raw.digest(id.raw) }
    case .miss: return try await Self.values(ids, stores.cached, &series)
    case .primary: return try await Self.values(ids, stores.uncached, &series)
    case .encrypted:
      guard let encrypted = stores.encrypted else { return nil }
      return try await Self.values(ids, encrypted, &series)
    case .sqlite: return try Self.plainValues(ids, &series) { id in try stores.sqlite.read(id.raw) }
    case .grdb: return try Self.plainValues(ids, &series) { id in try stores.grdb.read(id.id.rawValue) }
    }
  }

  // MARK: Without reading the fields

  private static func hits(_ ids: ArraySlice<ReadID>, _ memory: Memory, _ series: inout Series) async throws -> UInt64?
  {
    for id in ids {
      let start = raw_now()
      let episode = try await memory.episode(id.id)
      series.record(since: start)
      guard let episode, episode.status == .completed else { throw BenchError("episode \(id.id) is gone") }
    }
    return nil
  }

  private static func copies(_ ids: ArraySlice<ReadID>, _ lmdb: PlainLMDB, _ series: inout Series) throws -> UInt64? {
    for id in ids {
      let start = raw_now()
      free(try lmdb.copy(id.hash))
      series.record(since: start)
    }
    return nil
  }

  // MARK: With every field read, timed

  private static func touchedHits(
    _ ids: ArraySlice<ReadID>, _ memory: Memory, _ series: inout Series
  ) async throws -> UInt64 {
    var sum: UInt64 = 0
    for id in ids {
      let start = raw_now()
      guard let episode = try await memory.episode(id.id) else { throw BenchError("episode \(id.id) is gone") }
      sum &+= episode.digest
      series.record(since: start)
    }
    return sum
  }

  private static func digests(
    _ ids: ArraySlice<ReadID>, _ series: inout Series, _ digest: (ReadID) throws -> UInt64
  ) throws -> UInt64 {
    var sum: UInt64 = 0
    for id in ids {
      let start = raw_now()
      sum &+= try digest(id)
      series.record(since: start)
    }
    return sum
  }

  // MARK: With every value created, and read untimed

  private static func values(_ ids: ArraySlice<ReadID>, _ memory: Memory, _ series: inout Series) async throws -> UInt64
  {
    var sum: UInt64 = 0
    for id in ids {
      let start = raw_now()
      let episode = try await memory.episode(id.id)
      series.record(since: start)
      guard let episode else { throw BenchError("episode \(id.id) is gone") }
      sum &+= episode.digest
    }
    return sum
  }

  private static func plainValues(
    _ ids: ArraySlice<ReadID>, _ series: inout Series, _ read: (ReadID) throws -> PlainEpisode?
  ) throws -> UInt64 {
    var sum: UInt64 = 0
    for id in ids {
      let start = raw_now()
      let episode = try read(id)
      series.record(since: start)
      guard let episode else { throw BenchError("episode \(id.id) is gone") }
      sum &+= episode.digest
    }
    return sum
  }
}

/// Queries by words: a cache miss, a cache hit, and without the cache.
struct Recalls {
  private static let repetitions = 10

  private(set) var cold = Series(
    "new question", "memory.recall of three words in one domain, not in the cache: searched, ranked, filled in")
  private(set) var warm = Series("known question", "the same again: from the cache, with the ten episodes of its hits")
  private(set) var primary = Series("question, no cache", "the same with the cache switched off")
  private(set) var encrypted = Series("question, encrypted", "the same in encrypted domains")

  /// Runs each query without the cache, in encrypted domains, as a miss, and then as hits; the results must be equal.
  mutating func ask(_ query: Query, _ stores: ReadStores, hasCache: Bool) async throws {
    let truth = try await Self.time(query, stores.uncached, &primary)
    if let store = stores.encrypted {
      guard try await Self.time(query, store, &encrypted) == truth else { throw Self.disagreement(query) }
    }
    guard hasCache else { return }
    guard try await Self.time(query, stores.cached, &cold) == truth else { throw Self.disagreement(query) }
    for _ in 0..<Self.repetitions {
      guard try await Self.time(query, stores.cached, &warm) == truth else { throw Self.disagreement(query) }
    }
  }

  func rows(section: String) -> [Row] {
    [warm, cold, primary, encrypted].filter { $0.calls > 0 }.map { Row($0, section: section) }
  }

  private static func time(_ query: Query, _ memory: Memory, _ series: inout Series) async throws -> [Hit] {
    let start = raw_now()
    let hits = try await memory.recall(query)
    series.record(since: start)
    return hits
  }

  private static func disagreement(_ query: Query) -> BenchError {
    BenchError("the cache, the primary and the encrypted store do not answer \"\(query.text ?? "")\" alike")
  }
}

/// The id of an episode, prepared for every way to read.
struct ReadID {
  let id: Episode.ID
  let raw: raw_text
  /// Its key in LMDB.
  let hash: UInt64
  private let texts = RawTexts()

  init(_ id: Episode.ID) {
    self.id = id
    raw = texts.text(id.rawValue)
    hash = Self.hash(id)
  }

  /// FNV-1a.
  static func hash(_ id: Episode.ID) -> UInt64 {
    id.rawValue.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
