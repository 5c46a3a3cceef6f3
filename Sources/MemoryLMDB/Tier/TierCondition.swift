import EpisodicMemory
import Synchronization

/// Whether what lies in an open tier can be read and written by this process.
///
///     usable ── could not write ──▶ usable, writes paused ── wrote ──▶ usable
///     usable ── given up ──▶ broken: `TierRecovery` closes it and opens it again
///     any ── closed ──▶ closed
final class TierCondition: Sendable {
  private static let usable: UInt8 = 0
  /// LMDB itself says that its files are damaged, or they were removed under the process.
  private static let broken: UInt8 = 1
  private static let closed: UInt8 = 2

  private let state = Atomic<UInt8>(usable)
  private let hasComplained = Atomic(false)
  private let lossReason = Mutex<String?>(nil)
  private let writing = Mutex<Outage?>(nil)
  /// Whether `writing` has an outage, to be asked before every write.
  private let isWritingRefused = Atomic(false)

  var isUsable: Bool { state.load(ordering: .relaxed) == Self.usable }
  var isClosed: Bool { state.load(ordering: .acquiring) == Self.closed }

  /// Why it was given up; `nil` if it was not.
  var loss: String? { lossReason.withLock { $0 } }

  /// What it was until it was closed.
  enum Before { case usable, broken, closed }

  func close() -> Before {
    switch state.exchange(Self.closed, ordering: .acquiringAndReleasing) {
    case Self.usable: .usable
    case Self.broken: .broken
    default: .closed
    }
  }

  /// Unless it is closed, which it stays.
  func giveUp(because reason: String) {
    // First, for whoever finds it broken asks why.
    lossReason.withLock { $0 = $0 ?? reason }
    _ = state.compareExchange(expected: Self.usable, desired: Self.broken, ordering: .acquiringAndReleasing)
  }

  // MARK: Writing

  /// Since when and why nothing could be written; `nil` if the last write succeeded.
  var writeOutage: Outage? { writing.withLock { $0 } }

  /// Whether writing is to be tried.
  func mayWrite(at now: @autoclosure () -> Timestamp) -> Bool {
    guard isWritingRefused.load(ordering: .relaxed) else { return true }
    let now = now()
    return writing.withLock { $0?.isDue(at: now) ?? true }
  }

  /// - Parameter pauses: Whether to pause before the next write. Of what is refused without cost or wait, each may try.
  func couldNotWrite(because reason: String, at now: Timestamp, pauses: Bool) {
    writing.withLock { outage in
      if pauses, outage != nil {
        outage?.failedAgain(reason, at: now)
      } else if outage == nil {
        outage = Outage(reason, at: now, pause: pauses ? Outage.shortestPause : 0)
      }
      isWritingRefused.store(true, ordering: .relaxed)
    }
  }

  /// - Returns: Whether the write before had failed.
  @discardableResult
  func wrote() -> Bool {
    guard isWritingRefused.load(ordering: .relaxed) else { return false }
    return writing.withLock { outage in
      defer { outage = nil }
      isWritingRefused.store(false, ordering: .relaxed)
      return outage != nil
    }
  }

  // MARK: Complaining

  /// Whether nobody has complained yet; from then on somebody has.
  func isFirstComplaint() -> Bool { !hasComplained.exchange(true, ordering: .relaxed) }

  /// What was complained of is mended.
  func forgetComplaints() { hasComplained.store(false, ordering: .relaxed) }
}
