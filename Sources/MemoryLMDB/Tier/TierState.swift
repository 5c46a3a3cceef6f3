import EpisodicMemory
import Synchronization

/// Whether an open tier can be read and written by this process.
///
///     usable ── a write failed ──▶ usable, writes paused ── a write succeeded ──▶ usable
///     usable ── given up ──▶ broken: `RecoveringTier` closes it and opens it again
///     any ── closed ──▶ closed
final class TierState: Sendable {
  private static let usable: UInt8 = 0
  /// LMDB found its files damaged, or they were removed while they were open.
  private static let broken: UInt8 = 1
  private static let closed: UInt8 = 2

  private let state = Atomic<UInt8>(usable)
  private let hasFailed = Atomic(false)
  private let lossReason = Mutex<String?>(nil)
  private let writing = Mutex<Outage?>(nil)
  /// Whether `writing` has an outage: read before every write.
  private let arePaused = Atomic(false)

  var isUsable: Bool { state.load(ordering: .relaxed) == Self.usable }
  var isClosed: Bool { state.load(ordering: .acquiring) == Self.closed }

  /// Why it is broken and has to be opened again; `nil` while it is usable, and if it was closed before it broke.
  var loss: String? { isUsable ? nil : lossReason.withLock { $0 } }

  enum Before { case usable, broken, closed }

  /// - Returns: The state until then.
  func close() -> Before {
    switch state.exchange(Self.closed, ordering: .acquiringAndReleasing) {
    case Self.usable: .usable
    case Self.broken: .broken
    default: .closed
    }
  }

  /// Does nothing if it is closed.
  func giveUp(because reason: String) {
    // Before the state: a thread that finds it broken reads the reason.
    lossReason.withLock { $0 = $0 ?? reason }
    _ = state.compareExchange(expected: Self.usable, desired: Self.broken, ordering: .acquiringAndReleasing)
  }

  // MARK: Writes

  /// Since when and why writes fail; `nil` if the last one succeeded.
  var writeOutage: Outage? { writing.withLock { $0 } }

  /// Whether a write is to be tried.
  func mayWrite(at now: @autoclosure () -> Timestamp) -> Bool {
    guard arePaused.load(ordering: .relaxed) else { return true }
    let now = now()
    return writing.withLock { $0?.isDue(at: now) ?? true }
  }

  /// - Parameter pauses: Whether writes pause now; false for a failure that costs neither work nor a wait.
  func writeFailed(because reason: String, at now: Timestamp, pauses: Bool) {
    writing.withLock { outage in
      if pauses, outage != nil {
        outage?.failedAgain(reason, at: now)
      } else if outage == nil {
        outage = Outage(reason, at: now, pause: pauses ? Outage.shortestPause : 0)
      }
      arePaused.store(true, ordering: .relaxed)
    }
  }

  /// - Returns: Whether the write before had failed.
  @discardableResult
  func writeSucceeded() -> Bool {
    guard arePaused.load(ordering: .relaxed) else { return false }
    return writing.withLock { outage in
      defer { outage = nil }
      arePaused.store(false, ordering: .relaxed)
      return outage != nil
    }
  }

  // MARK: Logging once

  /// Whether this is the first failure, which is logged, since the tier was opened or `resetFailures`.
  func isFirstFailure() -> Bool { !hasFailed.exchange(true, ordering: .relaxed) }

  func resetFailures() { hasFailed.store(false, ordering: .relaxed) }
}

/// A time in which something fails for a reason that may pass. It is retried after pauses that double from 100 ms to 60 s.
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

  /// A clock that was set back does not lengthen the pause.
  func isDue(at now: Timestamp) -> Bool { now >= nextAttempt || now < since }
}

extension Timestamp {
  fileprivate func adding(_ milliseconds: Int64) -> Timestamp {
    let (sum, overflow) = self.milliseconds.addingReportingOverflow(milliseconds)
    return Timestamp(milliseconds: overflow ? .max : sum)
  }
}
