import CRawSQLite
import Episodic
import Synchronization

/// How long each stage of a rebuild took, from the first word of it to the last.
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

  /// `nil` where there was no such stage.
  func seconds(of stage: String) -> Double? {
    spans.withLock { $0[stage] }.map { Double($0.last - $0.first) / 1e9 }
  }

  /// All of it until now, then each stage, longest first.
  var figures: [Figure] {
    let whole = Figure("rebuild of everything derived", Double(raw_now() - start) / 1e9, "s")
    return [whole]
      + spans.withLock(\.self).map { (name: $0.key, seconds: Double($0.value.last - $0.value.first) / 1e9) }
      .sorted { ($1.seconds, $0.name) < ($0.seconds, $1.name) }
      .map { Figure("rebuild, \($0.name)", $0.seconds, "s") }
  }
}
