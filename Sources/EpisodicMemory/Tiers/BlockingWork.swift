import Dispatch
import Synchronization

/// Threads for work that may wait for a lock, a disk or another process, or that computes for longer than a millisecond.
///
/// Such work may keep neither the caller's executor, which may be the main actor, nor the cooperative pool, which has a
/// thread for each core. A lane is a serial dispatch queue: it gets a thread even while every thread of the global queues
/// is blocked. No more than `width` pieces of work run at once, so that many callers that wait for one stopped process do
/// not take a thread each; the others wait in order, and leave when their task is cancelled.
package final class BlockingWork: TaskExecutor {
  package static let shared = BlockingWork(width: 32)

  private struct State {
    var idle: [DispatchQueue] = []
    var lanes = 0
    var waiting: [@Sendable () -> Void] = []
  }

  private let width: Int
  private let state = Mutex(State())

  package init(width: Int) { self.width = max(width, 1) }

  /// Runs `body` on one of the threads.
  ///
  /// Cost: two changes of thread, about 15 µs.
  ///
  /// - Throws: What `body` throws; `.cancelled` where the task is cancelled before `body` has begun.
  package func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    try await run { (_: Cancellation) throws(MemoryError) in try body() }
  }

  /// Runs `body` on one of the threads, and lets it know when the task is cancelled.
  package func run<Value: Sendable>(
    _ body: @escaping @Sendable (Cancellation) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let call = Call(body)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if call.isWaiting(continuation) { submit { call.perform() } }
      }
    } onCancel: {
      call.cancel()
    }
    return try result.get()
  }

  /// Runs async work on the threads, with all that it calls and that has no executor of its own.
  ///
  /// `@concurrent`, since what is not would run on the caller's executor, whatever its task prefers.
  ///
  /// - Throws: What `body` throws.
  package func perform<Value: Sendable>(
    _ body: @escaping @concurrent @Sendable () async throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let result = await withTaskExecutorPreference(self) { () async -> Result<Value, MemoryError> in
      do throws(MemoryError) {
        return .success(try await body())
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    submit { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }

  // MARK: Lanes

  private func submit(_ work: @escaping @Sendable () -> Void) {
    let lane = state.withLock { state -> DispatchQueue? in
      if let idle = state.idle.popLast() { return idle }
      guard state.lanes < width else {
        state.waiting.append(work)
        return nil
      }
      state.lanes += 1
      return DispatchQueue(label: "episodic.blocking.\(state.lanes)")
    }
    guard let lane else { return }
    lane.async {
      work()
      while let next = self.next(on: lane) { next() }
    }
  }

  /// What waits for a lane; without any, the lane is idle from then on.
  private func next(on lane: DispatchQueue) -> (@Sendable () -> Void)? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.idle.append(lane)
        return nil
      }
      return state.waiting.removeFirst()
    }
  }
}

extension BlockingWork {
  /// Whether the task that waits for a piece of work has been cancelled.
  package final class Cancellation: Sendable {
    private let flag = Atomic(false)
    package var isCancelled: Bool { flag.load(ordering: .relaxed) }
    fileprivate func cancel() { flag.store(true, ordering: .relaxed) }
  }

  /// A call on its way: answered once, by its end or by being cancelled before it began.
  private final class Call<Value: Sendable>: Sendable {
    typealias Continuation = CheckedContinuation<Result<Value, MemoryError>, Never>

    private enum State {
      case new
      case waiting(Continuation)
      case begun
      case cancelled
    }

    private let body: @Sendable (Cancellation) throws(MemoryError) -> Value
    private let cancellation = Cancellation()
    private let state = Mutex(State.new)

    init(_ body: @escaping @Sendable (Cancellation) throws(MemoryError) -> Value) { self.body = body }

    /// - Returns: False where it was cancelled already, and so answered.
    func isWaiting(_ continuation: Continuation) -> Bool {
      let isWanted = state.withLock { state in
        guard case .new = state else { return false }
        state = .waiting(continuation)
        return true
      }
      if !isWanted { continuation.resume(returning: .failure(.cancelledTask)) }
      return isWanted
    }

    func perform() {
      let waiting = state.withLock { state -> Continuation? in
        guard case .waiting(let continuation) = state else { return nil }
        state = .begun
        return continuation
      }
      guard let waiting else { return }
      do throws(MemoryError) {
        waiting.resume(returning: .success(try body(cancellation)))
      } catch {
        waiting.resume(returning: .failure(error))
      }
    }

    func cancel() {
      cancellation.cancel()
      let waiting = state.withLock { state -> Continuation? in
        switch state {
        case .begun: return nil
        case .waiting(let continuation):
          state = .cancelled
          return continuation
        case .new, .cancelled:
          state = .cancelled
          return nil
        }
      }
      waiting?.resume(returning: .failure(.cancelledTask))
    }
  }
}

extension MemoryError {
  /// The caller's task has been cancelled.
  package static var cancelledTask: MemoryError {
    MemoryError(.cancelled, "the task was cancelled")
  }

  /// - Throws: `.cancelled` where the current task is cancelled.
  package static func throwIfCancelled() throws(MemoryError) {
    if Task.isCancelled { throw cancelledTask }
  }
}
