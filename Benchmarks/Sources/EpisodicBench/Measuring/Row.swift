import Episodic
import Foundation

/// The latencies of one operation.
struct Row: Encodable {
  let section: String
  let name: String
  let what: String
  let calls: Int
  let p50: UInt64
  let p99: UInt64
  /// Steps written or episodes read.
  let itemsPerSecond: Double

  init(_ series: Series, section: String) {
    self.section = section
    name = series.name
    what = series.what
    calls = series.calls
    p50 = series.median
    p99 = series.p99
    itemsPerSecond = series.itemsPerSecond.rounded()
  }

  /// After the section.
  static let titles = ["calls", "p50 ns", "p99 ns", "per second"]
  var cells: [String] {
    [name, calls.grouped, p50.grouped, p99.grouped, Int(itemsPerSecond).grouped]
  }

  enum CodingKeys: String, CodingKey {
    case section, name, what, calls
    case p50 = "p50_ns"
    case p99 = "p99_ns"
    case itemsPerSecond = "per_second"
  }
}

/// A single number: a size, a rate, or the time of an operation done once.
struct Figure: Encodable {
  let name: String
  let value: Double
  let unit: String

  init(_ name: String, _ value: Double, _ unit: String) {
    self.name = name
    self.value = value
    self.unit = unit
  }

  var text: String { value.magnitude < 100 ? String(format: "%.2f", value) : Int(value.rounded()).grouped }
}

/// The counters of the cache over one stage, beside the number of reads of the stage.
struct CacheCounts: Encodable {
  let stage: String
  let reads: Int
  let hits: Int
  let misses: Int
  let fills: Int
  let evicted: Int

  static let titles = ["counters of the cache", "reads", "hits", "misses", "fills", "evicted"]
  var cells: [String] { [stage] + [reads, hits, misses, fills, evicted].map(\.grouped) }

  init(
    _ stage: String, reads: Int, from before: CacheStatistics.Counts, to after: CacheStatistics.Counts
  ) {
    self.stage = stage
    self.reads = reads
    hits = after.hits - before.hits
    misses = after.misses - before.misses
    fills = after.fills - before.fills
    evicted = after.evicted - before.evicted
  }
}
