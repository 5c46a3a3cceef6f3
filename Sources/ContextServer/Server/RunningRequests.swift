import EpisodicMemory
import Synchronization

/// The requests that are being answered, by the ids that their clients gave them.
final class RunningRequests: Sendable {
  /// More are refused: a client that sends without reading must not fill the memory.
  static let maximum = 64

  struct Key: Hashable {
    let session: ClientSession
    let id: Message.RequestID
  }

  private struct State {
    var tasks: [Key: (serial: Int, task: Task<Void, Never>?)] = [:]
    var serial = 0
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  enum Refusal: Error { case idIsInUse, tooMany }

  private let state = Mutex(State())

  /// Runs `body` unless the id is in use, and passes what it returns to `send`; `.cancelled` if the request was cancelled.
  func start(
    _ key: Key, _ body: @escaping @Sendable () async -> Reply, send: @escaping @Sendable (Reply) -> Void
  ) throws(Refusal) {
    let started: Result<Int, Refusal> = state.withLock { state in
      guard state.tasks[key] == nil else { return .failure(.idIsInUse) }
      guard state.tasks.count < Self.maximum else { return .failure(.tooMany) }
      state.serial += 1
      state.tasks[key] = (state.serial, nil)
      return .success(state.serial)
    }
    let serial = try started.get()
    let task = Task {
      let reply = await body()
      send(finish(key, serial) ? reply : .cancelled)
      resumeIfIdle()
    }
    let isWanted = state.withLock { state in
      guard state.tasks[key]?.serial == serial else { return false }
      state.tasks[key] = (serial, task)
      return true
    }
    // Over already, or cancelled before the task was known.
    if !isWanted { task.cancel() }
  }

  /// Whether the request was still to be answered.
  private func finish(_ key: Key, _ serial: Int) -> Bool {
    state.withLock { state in
      guard state.tasks[key]?.serial == serial else { return false }
      state.tasks[key] = nil
      return true
    }
  }

  /// Ends a request without an answer; one that is not running is ignored, since its answer may be on its way.
  func cancel(_ key: Key) { cancel { $0 == key } }

  func cancelAll(of session: ClientSession) { cancel { $0.session == session } }

  private func cancel(where isMeant: (Key) -> Bool) {
    let tasks = state.withLock { state in
      state.tasks.keys.filter(isMeant).compactMap { state.tasks.removeValue(forKey: $0)?.task }
    }
    for task in tasks { task.cancel() }
    resumeIfIdle()
  }

  /// Returns when no request is running, or after a time; then what still runs is cancelled.
  func waitUntilIdle(atMost limit: Duration) async {
    let timer = Task {
      do {
        try await Task.sleep(for: limit)
        cancel { _ in true }
      } catch is CancellationError {
        // Idle before the time was over.
      } catch {
        cancel { _ in true }
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
