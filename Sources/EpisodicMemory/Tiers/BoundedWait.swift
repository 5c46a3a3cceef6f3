/// Waits for something that another process keeps, by asking again and again, for a bounded time.
package struct BoundedWait {
  private let limit: Duration
  private let pause: Duration
  private var since: ContinuousClock.Instant?

  /// - Parameter limit: Of the time from the first pause on, or from the first after `reset`.
  /// - Parameter pause: Between two attempts.
  package init(_ limit: Duration, pause: Duration) {
    self.limit = limit
    self.pause = pause
  }

  /// Begins anew: what was waited for has moved on.
  package mutating func reset() { since = nil }

  /// Suspends until the next attempt.
  ///
  /// - Parameter reason: What is waited for, and what to do about it.
  /// - Throws: `.busy` with the reason where the time is over, `.cancelled`.
  package mutating func pause(for reason: String) async throws(MemoryError) {
    try MemoryError.throwIfCancelled()
    let now = ContinuousClock.now
    let start = since ?? now
    since = start
    guard now - start < limit else { throw MemoryError(.busy, reason) }
    do { try await Task.sleep(for: pause) } catch { throw .cancelledTask }
  }
}
