import Dispatch
import Synchronization

/// Calls that wait for the writer, in the order of their arrival.
///
/// A call leaves the queue when its transaction has begun. Until then it can be cancelled, and fails after the timeout.
final class CallQueue: Sendable {
  struct Call: Sendable {
    let number: UInt64
    /// Nanoseconds of `DispatchTime`.
    let arrival: UInt64
    /// Whether it examines or mends, and so runs after damage was found.
    var writesDespiteDamage = false
    let work: any CommitWork

    func fail(_ error: any Error) { work.fail(number, error) }
  }

  private struct State {
    var waiting: [Call] = []
    var isDraining = false
    var lastNumber: UInt64 = 0
    /// Why nothing is written any more.
    var refusal: StorageError?
  }

  /// In nanoseconds.
  private let timeout: UInt64
  private let state = Mutex(State())

  init(timeout: UInt64) { self.timeout = timeout }

  var count: Int { state.withLock { $0.waiting.count } }

  // MARK: Callers

  /// Waits in the queue and for the commit.
  ///
  /// - Parameter call: Makes the call, which fails at once if the queue refuses it.
  /// - Parameter drain: Called if the queue was idle.
  func submit<Value>(
    _ call: (CheckedContinuation<Value, any Error>, _ number: UInt64, _ arrival: UInt64) -> Call, drain: () -> Void
  ) async throws -> Value {
    let arrival = DispatchTime.now().uptimeNanoseconds
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        if add(call(continuation, number, arrival)) { drain() }
      }
    } onCancel: {
      cancel(number)
    }
  }

  /// - Returns: Whether the queue was idle.
  private func add(_ call: Call) -> Bool {
    let (wasIdle, failure) = state.withLock { state -> (Bool, (any Error)?) in
      if let refusal = state.refusal, !refusal.isDamage || !call.writesDespiteDamage { return (false, refusal) }
      // Read under the lock: a task that is cancelled before its call is in the queue is not found there.
      if Task.isCancelled { return (false, CancellationError()) }
      state.waiting.append(call)
      defer { state.isDraining = true }
      return (!state.isDraining, nil)
    }
    if let failure { call.fail(failure) }
    return wasIdle
  }

  private func cancel(_ number: UInt64) {
    let cancelled = state.withLock { state in
      state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
    }
    cancelled?.fail(CancellationError())
  }

  // MARK: The writer

  /// Takes the calls of the next group out.
  func take(atMost limit: Int) -> [Call] {
    state.withLock { state in
      let group = Array(state.waiting.prefix(limit))
      state.waiting.removeFirst(group.count)
      return group
    }
  }

  /// Fails the calls that have waited for the timeout.
  ///
  /// - Returns: Whether calls are left.
  func expire(waitingFor path: String) -> Bool {
    let now = DispatchTime.now().uptimeNanoseconds
    let (overdue, isEmpty) = state.withLock { state in
      let overdue = Array(state.waiting.prefix { now &- min($0.arrival, now) >= timeout })
      state.waiting.removeFirst(overdue.count)
      return (overdue, state.waiting.isEmpty)
    }
    for call in overdue {
      call.fail(StorageError.locked(path: path, milliseconds: Int((now &- call.arrival) / 1_000_000)))
    }
    return !isEmpty
  }

  /// - Returns: Whether the queue is empty, and so idle: the next call drains it again.
  func endIfEmpty() -> Bool {
    state.withLock { state in
      state.isDraining = !state.waiting.isEmpty
      return !state.isDraining
    }
  }

  func failAll(_ error: any Error) {
    let failed = state.withLock { state in
      defer { state.waiting = [] }
      state.isDraining = false
      return state.waiting
    }
    for call in failed { call.fail(error) }
  }

  // MARK: Refusing

  /// Why nothing is written any more; `nil` if it is.
  var refusal: StorageError? { state.withLock { $0.refusal } }

  /// From now on every new call fails with that; on damage those that are waiting too.
  func refuse(because refusal: StorageError) {
    state.withLock { state in
      if case .closed = refusal { state.refusal = refusal }
      if state.refusal == nil { state.refusal = refusal }
    }
  }

  /// Takes the refusal back that damage was the reason for.
  func acceptAfterDamage() {
    state.withLock { state in
      if case .damaged = state.refusal { state.refusal = nil }
    }
  }
}
