import Dispatch
import Synchronization

/// Threads for work that may wait for a lock, a disk or another process, or that computes for longer than a millisecond.
///
/// Such work must block neither the caller's executor, which may be the main actor, nor the cooperative pool, which has one
/// thread a core. A lane is a serial dispatch queue: it gets a thread even while every thread of the global queues is blocked. At
/// most `width` pieces of work run at once, so that callers that wait for one stopped process do not take a thread each; further
/// ones wait in order.
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

  /// Runs `body` on one of the threads, even if the task is cancelled.
  ///
  /// Cost: two changes of thread, about 15 µs.
  package func run<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let result = await withCheckedContinuation { continuation in
      submit { continuation.resume(returning: Result(catching: body)) }
    }
    return try result.get()
  }

  /// Runs `body` on one of the threads, and tells it when the task is cancelled.
  ///
  /// - Parameter cancelled: Thrown if the task is cancelled before `body` has begun.
  package func run<Value: Sendable, Failure: Error>(
    orThrow cancelled: Failure, _ body: @escaping @Sendable (Cancellation) throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let call = Call(cancelled, body)
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
  /// `@concurrent`, because nonisolated work would run on the caller's executor, whatever its task prefers.
  package func perform<Value: Sendable, Failure: Error>(
    _ body: @escaping @concurrent @Sendable () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let result = await withTaskExecutorPreference(self) { () async -> Result<Value, Failure> in
      do throws(Failure) {
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

  /// Runs `work` on one of the threads, some time.
  package func submit(_ work: @escaping @Sendable () -> Void) {
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

  /// Work that waits for a lane; if there is none, the lane is idle from then on.
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

  /// A call that resumes its caller once: when it ends, or when it is cancelled before it began.
  private final class Call<Value: Sendable, Failure: Error>: Sendable {
    typealias Continuation = CheckedContinuation<Result<Value, Failure>, Never>

    private enum State {
      case new
      case waiting(Continuation)
      case begun
      case cancelled
    }

    private let cancelled: Failure
    private let body: @Sendable (Cancellation) throws(Failure) -> Value
    private let cancellation = Cancellation()
    private let state = Mutex(State.new)

    init(_ cancelled: Failure, _ body: @escaping @Sendable (Cancellation) throws(Failure) -> Value) {
      self.cancelled = cancelled
      self.body = body
    }

    /// - Returns: False if it was cancelled already; then the caller has been resumed.
    func isWaiting(_ continuation: Continuation) -> Bool {
      let waits = state.withLock { state in
        guard case .new = state else { return false }
        state = .waiting(continuation)
        return true
      }
      if !waits { continuation.resume(returning: .failure(cancelled)) }
      return waits
    }

    func perform() {
      let waiting = state.withLock { state -> Continuation? in
        guard case .waiting(let continuation) = state else { return nil }
        state = .begun
        return continuation
      }
      guard let waiting else { return }
      do throws(Failure) {
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
      waiting?.resume(returning: .failure(cancelled))
    }
  }
}
