import FileLocks
import Foundation
import GRDB
import Synchronization

/// The connections that read, each of them lent to one reader at a time.
final class ReaderPool: Sendable {
  private final class Reader: Sendable {
    let queue: DatabaseQueue
    let patience: ReaderPatience

    init(_ connector: Connector) throws {
      let patience = ReaderPatience(timeout: connector.timeout)
      self.patience = patience
      queue = try connector.reading(BusyHandler { waited in patience.allows(waited) })
    }
  }

  private struct State {
    var idle: [Reader] = []
    var open = 0
    var isClosed = false
    /// Callers that wait for a connection, in the order of their arrival.
    var waiting: [(number: UInt64, continuation: CheckedContinuation<Reader?, any Error>)] = []
    var lastNumber: UInt64 = 0
  }

  private let connector: Connector
  private let maximumCount: Int
  private let state = Mutex(State())

  init(_ connector: Connector, maximumCount: Int) {
    self.connector = connector
    self.maximumCount = maximumCount
  }

  /// Reads one snapshot, on a thread of the connection.
  ///
  /// Waits until one of the process's own reads ends if all connections are in use. Cancelling the task ends the wait, and
  /// the read itself at SQLite's next step.
  func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    let reader = try await take()
    reader.patience.begin(waits: true)
    defer { putBack(reader) }
    do {
      return try await withTaskCancellationHandler {
        try await reader.queue.read(body)
      } onCancel: {
        reader.patience.end()
      }
    } catch let error as DatabaseError where error.isAnInterruption && Task.isCancelled {
      throw CancellationError()
    }
  }

  /// Reads one snapshot on the calling thread: handing a read of microseconds to another thread and back would cost as
  /// much as the read.
  ///
  /// - Returns: `nil` if no connection is idle, or SQLite would have to wait for another process: `read` does.
  func readWithoutWaiting<Value>(_ body: (Database) throws -> Value) throws -> Value? {
    guard let reader = state.withLock({ $0.idle.popLast() }) else { return nil }
    reader.patience.begin(waits: false)
    defer { putBack(reader) }
    do {
      return try reader.queue.read(body)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      return nil
    }
  }

  /// Refuses new reads, waits for those that run, and closes the connections.
  ///
  /// - Returns: Whether all are closed. Those in use after the timeout close when their readers are done.
  func close(timeout: Duration) throws -> Bool {
    let (idle, waiting) = state.withLock { state in
      defer {
        state.open -= state.idle.count
        state.idle = []
        state.waiting = []
        state.isClosed = true
      }
      return (state.idle, state.waiting)
    }
    for (_, continuation) in waiting { continuation.resume(throwing: closed) }
    for reader in idle { try reader.queue.close() }
    return Deadline.after(timeout).poll { state.withLock { $0.open == 0 } }
  }

  // MARK: Lending

  private var closed: StorageError { .closed(path: connector.files.path) }

  private func take() async throws -> Reader {
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    let taken = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in enqueue(number, continuation) }
    } onCancel: {
      cancel(number)
    }
    if let taken { return taken }
    do {
      // Opening reads the database, for which SQLite may have to wait.
      return try await connectionWork.run { [connector] in try Reader(connector) }
    } catch {
      release()
      throw error
    }
  }

  /// Resumes with an idle connection, or with `nil` if one may be opened.
  private func enqueue(_ number: UInt64, _ continuation: CheckedContinuation<Reader?, any Error>) {
    let answer = state.withLock { state -> Result<Reader?, any Error>? in
      // Read under the lock: a task that is cancelled before it is in the queue is not found there.
      if Task.isCancelled { return .failure(CancellationError()) }
      if state.isClosed { return .failure(closed) }
      if let idle = state.idle.popLast() { return .success(idle) }
      if state.open < maximumCount {
        state.open += 1
        return .success(nil)
      }
      state.waiting.append((number, continuation))
      return nil
    }
    if let answer { continuation.resume(with: answer) }
  }

  private func cancel(_ number: UInt64) {
    let cancelled = state.withLock { state in
      state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
    }
    cancelled?.continuation.resume(throwing: CancellationError())
  }

  /// A connection could not be opened: another reader may try.
  private func release() {
    let next = state.withLock { state -> CheckedContinuation<Reader?, any Error>? in
      guard !state.waiting.isEmpty else {
        state.open -= 1
        return nil
      }
      return state.waiting.removeFirst().continuation
    }
    next?.resume(returning: nil)
  }

  private func putBack(_ reader: Reader) {
    let (next, isClosed) = state.withLock { state -> (CheckedContinuation<Reader?, any Error>?, Bool) in
      if state.isClosed { return (nil, true) }
      guard state.waiting.isEmpty else { return (state.waiting.removeFirst().continuation, false) }
      state.idle.append(reader)
      return (nil, false)
    }
    next?.resume(returning: reader)
    guard isClosed else { return }
    // The read has succeeded; a connection that cannot be closed is closed with its last reference.
    try? reader.queue.close()
    state.withLock { $0.open -= 1 }
  }
}

/// How long SQLite may wait for locks during a read.
final class ReaderPatience: Sendable {
  private let limit: UInt64
  private let waits = Atomic(true)

  init(timeout: Duration) { limit = timeout.nanoseconds }

  func begin(waits: Bool) { self.waits.store(waits, ordering: .relaxed) }
  func end() { waits.store(false, ordering: .relaxed) }
  func allows(_ waited: UInt64) -> Bool { waits.load(ordering: .relaxed) && waited < limit }
}

extension DatabaseError {
  /// Whether the statement, or its wait, was interrupted.
  fileprivate var isAnInterruption: Bool { resultCode == .SQLITE_INTERRUPT || resultCode == .SQLITE_BUSY }
}
