import CRawSQLite
import Episodic

/// Reads of episodes by each way there is.
struct Reads {
  enum Kind: CaseIterable { case cached, primary, raw }

  var kinds = Kind.allCases
  private var series: [Kind: Series]

  /// While the cache is empty.
  static var cold: Reads {
    Reads(
      cached: Series("miss", "memory.episode, not in the cache: read from the primary and filled in"),
      primary: Series("primary, beside misses", "memory.episode with the cache switched off"),
      raw: Series("raw C, beside misses", "BEGIN, the episode, its steps, COMMIT in C, every column read"))
  }

  /// When every episode is in the cache.
  static var warm: Reads {
    Reads(
      cached: Series("hit", "memory.episode, in the cache"),
      primary: Series("primary", "memory.episode with the cache switched off"),
      raw: Series("raw C", "BEGIN, the episode, its steps, COMMIT in C, every column read"))
  }

  private init(cached: Series, primary: Series, raw: Series) {
    series = [.cached: cached, .primary: primary, .raw: raw]
  }

  /// `nil` where nothing was read that way.
  subscript(kind: Kind) -> Series? { series[kind].flatMap { $0.calls > 0 ? $0 : nil } }

  func rows(section: String) -> [Row] { Kind.allCases.compactMap { self[$0] }.map { Row($0, section: section) } }

  /// Reads episodes one after the other; returns the sum of all that they say.
  mutating func read(_ ids: ArraySlice<ReadID>, by kind: Kind, _ stores: ReadStores) async throws -> UInt64 {
    // Taken out, so that recording does not copy it.
    guard var series = series.removeValue(forKey: kind) else { return 0 }
    var sum: UInt64 = 0
    switch kind {
    case .cached: sum = try await Self.read(ids, stores.cached, &series)
    case .primary: sum = try await Self.read(ids, stores.uncached, &series)
    case .raw:
      for id in ids {
        let start = raw_now()
        sum &+= try stores.raw.digest(id.raw)
        series.record(since: start)
      }
    }
    self.series[kind] = series
    return sum
  }

  private static func read(_ ids: ArraySlice<ReadID>, _ memory: Memory, _ series: inout Series) async throws -> UInt64 {
    var sum: UInt64 = 0
    for id in ids {
      let start = raw_now()
      guard let episode = try await memory.episode(id.id) else { throw BenchError("episode \(id.id) is gone") }
      sum &+= episode.digest
      series.record(since: start)
    }
    return sum
  }
}
