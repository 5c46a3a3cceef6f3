import CRawSQLite
import Histogram

/// Calls of one kind: how long each took, and how much they got done.
struct Series {
  /// Ten minutes; nothing measured here comes near.
  private static let longest: UInt64 = 600_000_000_000

  let name: String
  let what: String
  private(set) var calls = 0
  /// Steps, or episodes read.
  private(set) var items = 0
  /// Time in which the items got done; of calls at the same time, it passes once.
  private(set) var elapsed: UInt64 = 0
  private var histogram = Histogram<UInt64>(
    highestTrackableValue: longest, numberOfSignificantValueDigits: .three)

  init(_ name: String, _ what: String) {
    self.name = name
    self.what = what
  }

  /// One call that began at `start` and has just ended.
  mutating func record(since start: UInt64, items: Int = 1) {
    record(nanoseconds: raw_now() - start, items: items)
  }

  /// One call that took this long.
  mutating func record(nanoseconds: UInt64, items: Int = 1) {
    record(nanoseconds)
    self.items += items
    elapsed += nanoseconds
  }

  /// Calls that ran at the same time, an item each.
  mutating func record(concurrent latencies: [UInt64], elapsed: UInt64) {
    for nanoseconds in latencies { record(nanoseconds) }
    items += latencies.count
    self.elapsed += elapsed
  }

  private mutating func record(_ nanoseconds: UInt64) {
    histogram.record(min(nanoseconds, Self.longest))
    calls += 1
  }

  var median: UInt64 { histogram.valueAtPercentile(50) }
  /// The median, for ratios.
  var p50: Double { Double(median) }
  var p99: UInt64 { histogram.valueAtPercentile(99) }
  var itemsPerSecond: Double { elapsed > 0 ? Double(items) * 1e9 / Double(elapsed) : 0 }
}
