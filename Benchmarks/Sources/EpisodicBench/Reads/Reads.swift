import CRawSQLite
import Episodic
import Foundation

/// Reads of episodes by each way there is.
struct Reads {
  enum Kind: CaseIterable {
    case hit, floor, touched, decoded
    case miss, primary, sqlite, raw, grdb
  }

  let kinds: [Kind]
  private var series: [Kind: Series]

  /// While the cache is empty.
  static var cold: Reads {
    Reads([
      .miss: Series("miss", "memory.episode, not in the cache: read from the primary and filled in"),
      .primary: Series("primary, beside misses", "memory.episode with the cache switched off"),
    ])
  }

  /// When every episode is in the cache, or there is none.
  static func warm(hasCache: Bool) -> Reads {
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
    return Reads(series)
  }

  private init(_ series: [Kind: Series]) {
    self.series = series
    kinds = Kind.allCases.filter { series[$0] != nil }
  }

  /// `nil` where nothing was read that way.
  subscript(kind: Kind) -> Series? { series[kind].flatMap { $0.calls > 0 ? $0 : nil } }

  func rows(section: String) -> [Row] { kinds.compactMap { self[$0] }.map { Row($0, section: section) } }

  /// Reads episodes one after the other.
  ///
  /// - Returns: The sum of all that they say; `nil` where the way of reading looks at nothing.
  mutating func read(_ ids: ArraySlice<ReadID>, by kind: Kind, _ stores: ReadStores) async throws -> UInt64? {
    // Taken out, so that recording does not copy it.
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
    case .sqlite: return try Self.plainValues(ids, &series) { id in try stores.sqlite.read(id.raw) }
    case .grdb: return try Self.plainValues(ids, &series) { id in try stores.grdb.read(id.id.rawValue) }
    }
  }

  // MARK: Ways that look at nothing

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

  // MARK: Ways that look at every field while they are timed

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

  // MARK: Ways that make every value, which are looked at afterwards

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
