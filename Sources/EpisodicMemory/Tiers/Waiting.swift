package import FileLocks

extension BlockingWork {
  /// Runs `body` on one of the threads.
  ///
  /// Cost: two changes of thread, about 15 µs.
  ///
  /// - Throws: What `body` throws; `.cancelled` if the task is cancelled before `body` has begun.
  package func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    try await run(orThrow: .cancelledTask) { (_: Cancellation) throws(MemoryError) in try body() }
  }

  /// Runs `body` on one of the threads, and tells it when the task is cancelled.
  package func run<Value: Sendable>(
    _ body: @escaping @Sendable (Cancellation) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    try await run(orThrow: .cancelledTask, body)
  }
}

extension MemoryError {
  /// The caller's task has been cancelled.
  package static var cancelledTask: MemoryError {
    MemoryError(.cancelled, "the task was cancelled")
  }

  /// - Throws: `.cancelled` if the current task is cancelled.
  package static func throwIfCancelled() throws(MemoryError) {
    if Task.isCancelled { throw cancelledTask }
  }
}

/// Suspends between attempts to get what another process keeps, for a bounded time.
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

  /// Starts the time again: what is waited for has made progress.
  package mutating func reset() { since = nil }

  /// Suspends until the next attempt.
  ///
  /// - Parameter reason: What is waited for, and what to do about it.
  /// - Throws: `.busy` with the reason after the time limit; `.cancelled`.
  package mutating func pause(for reason: String) async throws(MemoryError) {
    try MemoryError.throwIfCancelled()
    let now = ContinuousClock.now
    let start = since ?? now
    since = start
    guard now - start < limit else { throw MemoryError(.busy, reason) }
    do { try await Task.sleep(for: pause) } catch { throw .cancelledTask }
  }
}
