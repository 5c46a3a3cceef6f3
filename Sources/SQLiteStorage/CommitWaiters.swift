import Dispatch
import FileLocks
import Synchronization

/// Callers that wait for the next commit to a database.
///
/// A commit through the same connection wakes them itself. For those of others one timer compares the commit stamp, which
/// reads 48 bytes of shared memory; it runs only while somebody waits.
final class CommitWaiters: Sendable {
  private struct Waiter {
    /// Of the commit that the caller has seen.
    let stamp: CommitStamp
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var waiters: [UInt64: Waiter] = [:]
    var lastNumber: UInt64 = 0
    var timer: (any DispatchSourceTimer)?
    /// Why nobody can wait any more.
    var end: StorageError?
  }

  /// 10 ms: a fifth of what a watcher may lag behind another process.
  private static let interval = DispatchTimeInterval.milliseconds(10)

  private let stamp: @Sendable () throws -> CommitStamp
  /// `false` for a database that only this process can change.
  private let hasTimer: Bool
  private let queue = DispatchQueue(label: "episodic.commits")
  private let state = Mutex(State())
  private let isAwaited = Atomic(false)

  init(hasTimer: Bool = true, stamp: @escaping @Sendable () throws -> CommitStamp) {
    self.stamp = stamp
    self.hasTimer = hasTimer
  }

  deinit { state.withLock { $0.timer?.cancel() } }

  /// Returns when the database's stamp is another.
  ///
  /// - Throws: `CancellationError` if the task is cancelled; what reading the stamp throws; `StorageError.closed`.
  func wait(after stamp: CommitStamp) async throws {
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        enqueue(number, Waiter(stamp: stamp, continuation: continuation))
      }
    } onCancel: {
      cancel(number)
    }
  }

  /// Wakes those who have not seen the last commit. Costs an atomic read if nobody waits.
  func check() {
    guard isAwaited.load(ordering: .sequentiallyConsistent) else { return }
    let now = Result { try stamp() }
    let due = state.withLock { state in
      let due = state.waiters.filter { _, waiter in
        if case .success(waiter.stamp) = now { false } else { true }
      }
      for number in due.keys { state.waiters[number] = nil }
      stopIfIdle(&state)
      return due.values.map(\.continuation)
    }
    for continuation in due { continuation.resume(with: now.map { _ in () }) }
  }

  /// From now on everybody gets the error, those who wait included.
  func end(with error: StorageError) {
    let waiting = state.withLock { state in
      defer {
        state.waiters = [:]
        stopIfIdle(&state)
      }
      state.end = error
      return state.waiters.values.map(\.continuation)
    }
    for continuation in waiting { continuation.resume(throwing: error) }
  }

  private func enqueue(_ number: UInt64, _ waiter: Waiter) {
    let refusal = state.withLock { state -> (any Error)? in
      // Read under the lock: a task that is cancelled before it is in the list is not found there.
      if Task.isCancelled { return CancellationError() }
      if let end = state.end { return end }
      state.waiters[number] = waiter
      isAwaited.store(true, ordering: .sequentiallyConsistent)
      if hasTimer, state.timer == nil { state.timer = startTimer() }
      return nil
    }
    if let refusal {
      waiter.continuation.resume(throwing: refusal)
    } else {
      // A commit since the stamp was taken found nobody to wake.
      check()
    }
  }

  private func cancel(_ number: UInt64) {
    let cancelled = state.withLock { state in
      let waiter = state.waiters.removeValue(forKey: number)
      stopIfIdle(&state)
      return waiter
    }
    cancelled?.continuation.resume(throwing: CancellationError())
  }

  private func startTimer() -> any DispatchSourceTimer {
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + Self.interval, repeating: Self.interval, leeway: .milliseconds(2))
    timer.setEventHandler { [weak self] in self?.check() }
    timer.resume()
    return timer
  }

  private func stopIfIdle(_ state: inout State) {
    guard state.waiters.isEmpty else { return }
    isAwaited.store(false, ordering: .sequentiallyConsistent)
    state.timer?.cancel()
    state.timer = nil
  }
}
