import Synchronization

/// Whether what lies in a tier can still be used by this process, and whether anything was said of its failures.
final class TierCondition: Sendable {
  private static let usable: UInt8 = 0
  /// LMDB itself says that its files are damaged, or nothing can be written.
  private static let broken: UInt8 = 1
  private static let closed: UInt8 = 2

  private let state = Atomic<UInt8>(usable)
  private let hasComplained = Atomic(false)

  var isUsable: Bool { state.load(ordering: .relaxed) == Self.usable }
  var isClosed: Bool { state.load(ordering: .acquiring) == Self.closed }

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
  func giveUp() {
    _ = state.compareExchange(expected: Self.usable, desired: Self.broken, ordering: .acquiringAndReleasing)
  }

  /// Whether nobody has complained yet; from then on somebody has.
  func isFirstComplaint() -> Bool { !hasComplained.exchange(true, ordering: .relaxed) }

  /// What was complained of is mended.
  func forgetComplaints() { hasComplained.store(false, ordering: .relaxed) }
}
