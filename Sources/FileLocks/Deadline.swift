#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The end of a wait for other processes. Neither `flock` nor LMDB's locks take a timeout, so a wait polls.
package struct Deadline: Sendable {
  /// How long the wait was allowed to be, for messages.
  package let patience: Duration
  private let end: ContinuousClock.Instant

  package static func after(_ patience: Duration) -> Deadline {
    Deadline(patience: patience, end: .now.advanced(by: patience))
  }

  /// What is left of the wait; zero once it is over.
  package var remaining: Duration { max(ContinuousClock.now.duration(to: end), .zero) }

  /// Calls `attempt` until it succeeds or the deadline has passed, at least once.
  ///
  /// - Returns: Whether an attempt succeeded.
  package func poll<Failure: Error>(_ attempt: () throws(Failure) -> Bool) throws(Failure) -> Bool {
    try Self.poll(while: { _ in remaining > .zero }, attempt)
  }

  /// Calls `attempt` until it succeeds or `keepsWaiting` returns false, at least once.
  ///
  /// Pauses are random, so that every waiter has its turn, and their upper bound grows with the wait from 50 µs to 1 ms.
  ///
  /// - Parameter keepsWaiting: Called before each pause with the time since the first attempt failed.
  /// - Returns: Whether an attempt succeeded.
  package static func poll<Failure: Error>(
    while keepsWaiting: (_ waited: Duration) -> Bool, _ attempt: () throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    if try attempt() { return true }
    let start = ContinuousClock.now
    while true {
      let waited = start.duration(to: .now)
      guard keepsWaiting(waited) else { return false }
      let longest = min(max(waited / 16, .microseconds(50)), .milliseconds(1))
      usleep(.random(in: 10...UInt32(longest / .microseconds(1))))
      if try attempt() { return true }
    }
  }
}

/// A monotonic clock that costs a few nanoseconds to read and advances in steps of a few milliseconds.
package enum CoarseClock {
  package static var milliseconds: Int64 {
    var time = timespec()
    #if canImport(Darwin)
      clock_gettime(CLOCK_MONOTONIC_RAW_APPROX, &time)
    #else
      clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    #endif
    return Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000
  }
}
