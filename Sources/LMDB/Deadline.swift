#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The end of a wait for other processes. `flock` has no timeout, so waiting is polled.
package struct Deadline: Sendable {
  /// How long the wait was allowed to be, for messages.
  package let patience: Duration
  private let end: ContinuousClock.Instant

  private init(patience: Duration, end: ContinuousClock.Instant) {
    self.patience = patience
    self.end = end
  }

  package static func after(_ patience: Duration) -> Deadline {
    Deadline(patience: patience, end: .now.advanced(by: patience))
  }

  /// What is left of the wait; zero once it is over.
  package var remaining: Duration { max(ContinuousClock.now.duration(to: end), .zero) }

  /// Calls `attempt` until it succeeds or the deadline has passed, at least once. Pauses are random, so that every
  /// waiter has its turn, and grow from 50 us to 5 ms.
  ///
  /// - Returns: Whether an attempt succeeded.
  package func poll(_ attempt: () throws(LMDBError) -> Bool) throws(LMDBError) -> Bool {
    var longest: UInt32 = 50
    while true {
      if try attempt() { return true }
      let left = remaining
      if left == .zero { return false }
      let pause = Duration.microseconds(Int64(UInt32.random(in: longest / 2...longest)))
      usleep(UInt32(clamping: min(pause, left) / .microseconds(1)))
      longest = min(longest * 2, 5_000)
    }
  }
}

extension Duration {
  fileprivate static func / (duration: Duration, unit: Duration) -> Int64 {
    let ratio: Double = duration / unit
    return Int64(ratio.rounded(.up))
  }
}
