import EpisodicMemory

/// A time in which something is refused, such as opening a tier, for a reason that may pass. It is tried again after pauses that
/// double from 100 ms to 60 s.
struct Outage: Sendable {
  static let shortestPause: Int64 = 100
  static let longestPause: Int64 = 60_000

  let since: Timestamp
  private(set) var reason: String
  private(set) var nextAttempt: Timestamp
  /// Milliseconds between the last attempt and the next.
  private(set) var pause: Int64

  init(_ reason: String, at now: Timestamp, pause: Int64 = shortestPause) {
    since = now
    self.reason = reason
    self.pause = pause
    nextAttempt = now.adding(pause)
  }

  mutating func failedAgain(_ reason: String, at now: Timestamp) {
    self.reason = reason
    pause = min(max(pause, Self.shortestPause / 2) * 2, Self.longestPause)
    nextAttempt = now.adding(pause)
  }

  /// A clock that was set back does not make it wait for longer.
  func isDue(at now: Timestamp) -> Bool { now >= nextAttempt || now < since }
}

extension Timestamp {
  fileprivate func adding(_ milliseconds: Int64) -> Timestamp {
    let (sum, overflow) = self.milliseconds.addingReportingOverflow(milliseconds)
    return Timestamp(milliseconds: overflow ? .max : sum)
  }
}
