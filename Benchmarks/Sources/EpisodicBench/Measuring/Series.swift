import CRawSQLite
import Episodic
import Histogram
import Synchronization

/// The latencies and the throughput of calls of one kind.
struct Series {
  /// Ten minutes, far above any latency measured here.
  private static let longest: UInt64 = 600_000_000_000

  let name: String
  let what: String
  private(set) var calls = 0
  /// Steps, or episodes read.
  private(set) var items = 0
  /// The time for all items; of concurrent calls it counts once.
  private(set) var elapsed: UInt64 = 0
  private var histogram = Histogram<UInt64>(
    highestTrackableValue: longest, numberOfSignificantValueDigits: .three)

  init(_ name: String, _ what: String) {
    self.name = name
    self.what = what
  }

  /// Records a call that began at `start` and ends now.
  mutating func record(since start: UInt64, items: Int = 1) {
    record(nanoseconds: raw_now() - start, items: items)
  }

  /// Records a call by its latency.
  mutating func record(nanoseconds: UInt64, items: Int = 1) {
    record(nanoseconds)
    self.items += items
    elapsed += nanoseconds
  }

  /// Records concurrent calls of one item each.
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

/// The time of each stage of a rebuild, from its first progress report to its last.
final class StageClock: Sendable {
  private struct Span {
    let first: UInt64
    var last: UInt64
  }

  private let start = raw_now()
  private let spans = Mutex<[String: Span]>([:])

  func note(_ progress: RebuildProgress) {
    let now = raw_now()
    spans.withLock { $0[progress.stage, default: Span(first: now, last: now)].last = now }
  }

  /// `nil` if there was no such stage.
  func seconds(of stage: String) -> Double? {
    spans.withLock { $0[stage] }.map { Double($0.last - $0.first) / 1e9 }
  }

  /// The whole until now, then each stage, longest first.
  var figures: [Figure] {
    let whole = Figure("rebuild of everything derived", Double(raw_now() - start) / 1e9, "s")
    return [whole]
      + spans.withLock(\.self).map { (name: $0.key, seconds: Double($0.value.last - $0.value.first) / 1e9) }
      .sorted { ($1.seconds, $0.name) < ($0.seconds, $1.name) }
      .map { Figure("rebuild, \($0.name)", $0.seconds, "s") }
  }
}
