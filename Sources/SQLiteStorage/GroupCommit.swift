import Foundation
import GRDB
import Synchronization

/// The one writer of a process: calls that arrive while a commit runs share the next one.
///
/// A caller is answered after the commit that holds its changes. A call that fails takes nothing with it: if it had
/// written, the group is rolled back and each of its calls gets a transaction of its own. So a body may run twice and
/// must depend on nothing but the database and what it captured.
///
/// Calls stay in the queue until the locks of other processes have been obtained. There a call that is cancelled, or has
/// waited for the timeout, is taken out; once its transaction runs it is brought to its end.
final class GroupCommit: Sendable {
  /// A call that waits. Neighbours in one lane are performed together, by the first one's `perform`.
  private struct Call: Sendable {
    let number: UInt64
    let arrival: UInt64
    let lane: ObjectIdentifier?
    /// Whether it examines or mends, and so runs after damage was found.
    var writesDespiteDamage = false
    let request: any Sendable
    /// Does the work of the requests and returns, for each of them, what tells its caller.
    let perform: @Sendable (_ requests: [any Sendable], Database) throws -> [@Sendable () -> Void]
    let fail: @Sendable (any Error) -> Void
  }

  private struct State {
    var waiting: [Call] = []
    var isDraining = false
    var lastNumber: UInt64 = 0
    /// Why nothing is written any more.
    var refusal: StorageError?
    var writer: Writer?
  }

  private struct Writer {
    let connection: DatabaseQueue
    let busy: BusyHandler
  }

  /// Bounds the work that one failing commit can undo.
  private static let maximumGroup = 1024
  /// A fraction of what a synced commit takes, and twice what a caller needs to come back.
  private static let patienceNanoseconds: UInt64 = 100_000
  /// However many come one after another, the first of them is not kept waiting for longer.
  private static let mostPatienceNanoseconds: UInt64 = 1_000_000

  private let files: DatabaseFiles
  private let lock: CommitLock
  private let timeout: UInt64
  private let fileGuard: FileGuard
  private let openWriter: @Sendable (BusyHandler) throws -> DatabaseQueue
  private let afterCommit: @Sendable (Database, BusyHandler) -> Void
  private let queue = DispatchQueue(label: "episodic.writer")
  private let state = Mutex(State())
  /// Whether the transaction of calls that have left the queue is running.
  private let isCommitting = Atomic(false)

  /// - Parameter openWriter: Opens the connection, with the first call: a process that only reads needs none.
  /// - Parameter afterCommit: Called on the writer's queue, under the lock, after each commit has been acknowledged.
  init(
    files: DatabaseFiles, lock: CommitLock, timeout: Duration, fileGuard: FileGuard,
    openWriter: @escaping @Sendable (BusyHandler) throws -> DatabaseQueue,
    afterCommit: @escaping @Sendable (Database, BusyHandler) -> Void
  ) {
    self.files = files
    self.lock = lock
    self.timeout = timeout.nanoseconds
    self.fileGuard = fileGuard
    self.openWriter = openWriter
    self.afterCommit = afterCommit
  }

  func write<Value: Sendable>(
    despiteDamage: Bool = false, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await submit { (continuation: CheckedContinuation<Value, any Error>, number, arrival) in
      Call(
        number: number, arrival: arrival, lane: nil, writesDespiteDamage: despiteDamage, request: (),
        perform: { _, db in
          let value = try body(db)
          return [{ continuation.resume(returning: value) }]
        },
        fail: { continuation.resume(throwing: $0) })
    }
  }

  func write<Request, Value>(_ request: Request, in lane: WriteLane<Request, Value>) async throws -> Value {
    try await submit { (continuation: CheckedContinuation<Value, any Error>, number, arrival) in
      Call(
        number: number, arrival: arrival, lane: ObjectIdentifier(lane),
        request: WriteLane<Request, Value>.Entry(request, continuation),
        perform: { requests, db in try lane.perform(requests, db) },
        fail: { continuation.resume(throwing: $0) })
    }
  }

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

  /// Waits for the calls that came before, and closes the connection.
  func close() throws {
    refuse(because: .closed(path: files.path))
    try queue.sync {
      let writer = state.withLock { state in
        defer { state.writer = nil }
        return state.writer
      }
      try writer?.connection.close()
    }
  }

  // MARK: The queue of calls

  private func submit<Value>(
    _ call: (CheckedContinuation<Value, any Error>, _ number: UInt64, _ arrival: UInt64) -> Call
  ) async throws -> Value {
    let arrival = DispatchTime.now().uptimeNanoseconds
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in enqueue(call(continuation, number, arrival)) }
    } onCancel: {
      cancel(number)
    }
  }

  private func enqueue(_ call: Call) {
    enum Answer { case queued, drain, fail(any Error) }
    let answer = state.withLock { state -> Answer in
      if let refusal = state.refusal, !refusal.isDamage || !call.writesDespiteDamage { return .fail(refusal) }
      // Asked under the lock: a task that is cancelled before its call is in the queue is not found there.
      if Task.isCancelled { return .fail(CancellationError()) }
      state.waiting.append(call)
      defer { state.isDraining = true }
      return state.isDraining ? .queued : .drain
    }
    switch answer {
    case .queued: break
    case .drain: queue.async { self.drain() }
    case .fail(let error): call.fail(error)
    }
  }

  private func cancel(_ number: UInt64) {
    let cancelled = state.withLock { state in
      state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
    }
    cancelled?.fail(CancellationError())
  }

  /// Fails the calls that have waited for the timeout.
  ///
  /// - Returns: Whether anybody is left who waits.
  private func expire(waitingFor path: String) -> Bool {
    let now = DispatchTime.now().uptimeNanoseconds
    let (overdue, isEmpty) = state.withLock { state in
      // They are in the order of their arrival.
      let overdue = Array(state.waiting.prefix { now &- min($0.arrival, now) >= timeout })
      state.waiting.removeFirst(overdue.count)
      return (overdue, state.waiting.isEmpty)
    }
    for call in overdue {
      call.fail(StorageError.locked(path: path, milliseconds: Int((now &- call.arrival) / 1_000_000)))
    }
    return !isEmpty
  }

  // MARK: Committing

  private func drain() {
    do {
      let writer = try writer()
      writer.connection.writeWithoutTransaction { db in
        while let count = commitNext(db, writer.busy) { linger(for: count) }
      }
    } catch {
      failAll(error)
    }
  }

  private func failAll(_ error: any Error) {
    let failed = state.withLock { state in
      defer { state.waiting = [] }
      state.isDraining = false
      return state.waiting
    }
    for call in failed { call.fail(error) }
  }

  /// The connection; opened by the first call.
  private func writer() throws -> Writer {
    if let writer = state.withLock({ $0.writer }) { return writer }
    let busy = BusyHandler { [self] waited in
      // What has begun is brought to its end, in the time that a call may take.
      isCommitting.load(ordering: .relaxed) ? waited < timeout : expire(waitingFor: files.path)
    }
    // SQLite would say of a file that was removed only that it cannot be opened.
    try fileGuard.verify()
    let writer = Writer(connection: try openWriter(busy), busy: busy)
    state.withLock { $0.writer = writer }
    return writer
  }

  /// Stays a moment for those who have just been answered: most come back at once with their next call.
  ///
  /// One caller finds the writer awake, which saves it half of the time that it would spend on being handed from thread to
  /// thread. Several share a commit again; a group that starts with the first of them would leave the others to wait for
  /// two. Ends when all are back, or when nobody has come for a while.
  private func linger(for count: Int) {
    var waiting = 0
    let start = DispatchTime.now().uptimeNanoseconds
    var lastArrival = start
    while waiting < count {
      let now = DispatchTime.now().uptimeNanoseconds
      if now - start > Self.mostPatienceNanoseconds { return }
      let arrived = state.withLock { $0.waiting.count }
      if arrived > waiting {
        waiting = arrived
        lastArrival = now
      } else if now - lastArrival > Self.patienceNanoseconds {
        return
      }
      sched_yield()
    }
  }

  /// Commits the calls that are in the queue when the locks have been obtained.
  ///
  /// - Returns: How many they were; `nil` if there are none, and so draining has ended.
  private func commitNext(_ db: Database, _ busy: BusyHandler) -> Int? {
    if endIfIdle() { return nil }
    do {
      let count = try lock.withLock(whileWaiting: { _ in expire(waitingFor: files.lock) }) {
        guard try begin(db) else { return 0 }
        isCommitting.store(true, ordering: .relaxed)
        defer { isCommitting.store(false, ordering: .relaxed) }
        let group = take()
        do {
          try commit(group, db, busy)
        } catch {
          for call in group { call.fail(error) }
        }
        return group.count
      }
      return count ?? 0
    } catch {
      // The lock itself cannot be had: nobody of those who wait for it gets it. Its directory may be gone.
      let reason = Result { try fileGuard.verify() }
      let failed = take()
      for call in failed {
        if case .failure(let gone) = reason { call.fail(gone) } else { call.fail(error) }
      }
      return failed.count
    }
  }

  private func endIfIdle() -> Bool {
    state.withLock { state in
      state.isDraining = !state.waiting.isEmpty
      return !state.isDraining
    }
  }

  private func take() -> [Call] {
    state.withLock { state in
      let group = Array(state.waiting.prefix(Self.maximumGroup))
      state.waiting.removeFirst(group.count)
      return group
    }
  }

  /// - Returns: Whether the transaction has begun; not if another program kept the lock until nobody waited any more.
  private func begin(_ db: Database) throws -> Bool {
    do {
      // Cached, because preparing the statements would cost a short transaction a tenth of its time.
      try db.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
      return true
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      // Who has come meanwhile begins to wait. The pause is for the case that SQLite has not asked the busy handler.
      if expire(waitingFor: files.path) { usleep(1000) }
      return false
    }
  }

  /// Ends the transaction that has begun.
  private func commit(_ group: [Call], _ db: Database, _ busy: BusyHandler) throws {
    if let outcome = try transact(group, db) {
      for tell in outcome { tell() }
      afterCommit(db, busy)
      return
    }
    for call in group {
      do {
        try db.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
        for tell in try transact([call], db) ?? [] { tell() }
        afterCommit(db, busy)
      } catch {
        call.fail(error)
      }
    }
  }

  /// One transaction for the whole group, which has begun.
  ///
  /// - Returns: What tells the callers; `nil` where one of several calls failed after it had written, all is rolled back,
  ///   and each must be tried alone.
  private func transact(_ group: [Call], _ db: Database) throws -> [@Sendable () -> Void]? {
    do {
      if let refusal = state.withLock({ $0.refusal }), refusal.isDamage, !group.allSatisfy(\.writesDespiteDamage) {
        throw refusal
      }
      var tell: [@Sendable () -> Void] = []
      tell.reserveCapacity(group.count)
      var rest = group[...]
      while let call = rest.first {
        let together = call.lane == nil ? rest.prefix(1) : rest.prefix { $0.lane == call.lane }
        rest = rest.dropFirst(together.count)
        let before = db.totalChangesCount
        do {
          tell += try call.perform(together.map(\.request), db)
        } catch {
          let hasWritten = db.totalChangesCount != before || !db.isInsideTransaction
          if hasWritten && group.count > 1 {
            try rollBack(db)
            return nil
          }
          if hasWritten { throw error }
          tell += together.map { call in { call.fail(error) } }
        }
      }
      // A commit is not acknowledged into files that nobody will find again.
      try fileGuard.verify(db)
      try db.cachedStatement(sql: "COMMIT").execute()
      return tell
    } catch let error as DatabaseError where [.SQLITE_IOERR, .SQLITE_CORRUPT].contains(error.resultCode) {
      try rollBack(db)
      // SQLite reads nonsense from a log that was cut short: that is to be told.
      try fileGuard.verify(db)
      throw error
    } catch {
      try rollBack(db)
      throw error
    }
  }

  /// SQLite has rolled back already after some errors, such as a full disk.
  private func rollBack(_ db: Database) throws {
    if db.isInsideTransaction { try db.rollback() }
  }
}
