import Synchronization

/// Counts, for what is to be done now and then.
final class Turns: Sendable {
  private let count = Atomic(0)
  private let interval: Int

  init(ofEvery interval: Int) { self.interval = interval }

  /// True once in so many calls.
  func isMine() -> Bool { count.add(1, ordering: .relaxed).newValue.isMultiple(of: interval) }
}
