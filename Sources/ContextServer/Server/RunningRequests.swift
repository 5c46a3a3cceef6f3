import EpisodicMemory
import Synchronization

/// The requests that are being answered, by their ids.
final class RunningRequests: Sendable {
  /// More are refused: a client that sends without reading must not fill the memory.
  static let maximum = 64

  private struct State {
    var tasks: [Message.RequestID: (serial: Int, task: Task<Void, Never>?)] = [:]
    var serial = 0
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  enum Refusal: Error { case idIsInUse, tooMany }

  private let state = Mutex(State())

  /// Runs `body` unless the id is in use. What it returns is passed to `answer` if the request was not cancelled.
  func start(
    _ id: Message.RequestID, _ body: @escaping @Sendable () async -> JSON, answer: @escaping @Sendable (JSON) -> Void
  ) throws(Refusal) {
    let started: Result<Int, Refusal> = state.withLock { state in
      guard state.tasks[id] == nil else { return .failure(.idIsInUse) }
      guard state.tasks.count < Self.maximum else { return .failure(.tooMany) }
      state.serial += 1
      state.tasks[id] = (state.serial, nil)
      return .success(state.serial)
    }
    let serial = try started.get()
    let task = Task {
      let result = await body()
      if finish(id, serial) { answer(result) }
      resumeIfIdle()
    }
    let isWanted = state.withLock { state in
      guard state.tasks[id]?.serial == serial else { return false }
      state.tasks[id] = (serial, task)
      return true
    }
    // Over already, or cancelled before the task was known.
    if !isWanted { task.cancel() }
  }

  /// Whether the request was still to be answered.
  private func finish(_ id: Message.RequestID, _ serial: Int) -> Bool {
    state.withLock { state in
      guard state.tasks[id]?.serial == serial else { return false }
      state.tasks[id] = nil
      return true
    }
  }

  /// Ends a request without an answer; one that is not running is ignored, since its answer may be on its way.
  func cancel(_ id: Message.RequestID) {
    state.withLock { $0.tasks.removeValue(forKey: id) }?.task?.cancel()
    resumeIfIdle()
  }

  func cancelAll() {
    let all = state.withLock { state in
      defer { state.tasks = [:] }
      return state.tasks.values.compactMap(\.task)
    }
    for task in all { task.cancel() }
    resumeIfIdle()
  }

  /// Returns when no request is running, or after a time; then what still runs is cancelled.
  func waitUntilIdle(atMost limit: Duration) async {
    let timer = Task {
      do {
        try await Task.sleep(for: limit)
        cancelAll()
      } catch is CancellationError {
        // Idle before the time was over.
      } catch {
        cancelAll()
      }
    }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let isIdle = state.withLock { state in
        if state.tasks.isEmpty { return true }
        state.serial += 1
        state.waiting[state.serial] = continuation
        return false
      }
      if isIdle { continuation.resume() }
    }
    timer.cancel()
  }

  private func resumeIfIdle() {
    let waiting = state.withLock { state in
      guard state.tasks.isEmpty else { return [CheckedContinuation<Void, Never>]() }
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for continuation in waiting { continuation.resume() }
  }
}
