import Foundation
import GRDB
import Synchronization

/// The one writer of a process: calls that arrive while a commit runs share the next one.
///
/// A caller is resumed after the commit that holds its changes. A call that fails undoes no other: if it had written, the
/// group is rolled back and each of its calls gets a transaction of its own. So a body may run twice and must depend on
/// nothing but the database and what it captured.
///
/// Calls stay in the queue until the locks of other processes have been obtained. There a call that is cancelled, or has
/// waited for the timeout, is taken out; once its transaction runs it is brought to its end.
final class GroupCommit: Sendable {
  private struct Writer {
    let connection: DatabaseQueue
    let busy: BusyHandler
  }

  /// Bounds the work that one failing commit can undo.
  private static let maximumGroup = 1024
  /// 100 µs: a fraction of a synced commit, and twice what a caller needs to come back.
  private static let lingerNanoseconds: UInt64 = 100_000
  /// 1 ms: the bound on the wait of the first of many calls that come one after another.
  private static let longestLingerNanoseconds: UInt64 = 1_000_000

  private let files: DatabaseFiles
  private let lock: CommitLock
  private let timeout: UInt64
  private let fileGuard: FileGuard
  private let schemaGuard: SchemaGuard
  private let openWriter: @Sendable (BusyHandler) throws -> DatabaseQueue
  private let afterCommit: @Sendable (Database, BusyHandler, _ took: Duration) -> Void
  private let committed: CommitObserver?
  private let thread = DispatchQueue(label: "episodic.writer")
  private let calls: CallQueue
  private let exclusiveWork = ExclusiveWork()
  private let writer = Mutex<Writer?>(nil)
  /// Whether the transaction of calls that have left the queue is running.
  private let isCommitting = Atomic(false)

  /// - Parameter openWriter: Opens the connection, with the first call: a process that only reads needs none.
  /// - Parameter committed: Called with each commit; `nil`: none is timed.
  /// - Parameter afterCommit: Called on the writer's thread, under the lock, after each commit has been acknowledged, with how
  ///   long its transaction took.
  init(
    files: DatabaseFiles, lock: CommitLock, timeout: Duration, fileGuard: FileGuard, schemaGuard: SchemaGuard,
    openWriter: @escaping @Sendable (BusyHandler) throws -> DatabaseQueue, committed: CommitObserver? = nil,
    afterCommit: @escaping @Sendable (Database, BusyHandler, _ took: Duration) -> Void
  ) {
    self.committed = committed
    self.files = files
    self.lock = lock
    self.timeout = timeout.nanoseconds
    self.fileGuard = fileGuard
    self.schemaGuard = schemaGuard
    self.openWriter = openWriter
    self.afterCommit = afterCommit
    calls = CallQueue(timeout: timeout.nanoseconds)
  }

  func write<Value: Sendable>(
    despiteDamage: Bool = false, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await calls.submit(
      { continuation, number, arrival in
        CallQueue.Call(
          number: number, arrival: arrival, writesDespiteDamage: despiteDamage, work: SingleWrite(body, continuation))
      }, drain: startDraining)
  }

  func write<Request, Value>(_ request: Request, in batch: BatchedWrite<Request, Value>) async throws -> Value {
    try await calls.submit(
      { continuation, number, arrival in
        batch.add(request, number, continuation)
        return CallQueue.Call(number: number, arrival: arrival, work: batch)
      }, drain: startDraining)
  }

  /// How long exclusive work waits for other processes: longer than one commits, and no longer than it may wait for them.
  private static let exclusiveWait = Duration.seconds(1)

  /// As `exclusively`, for work that must be done: it waits for other processes as long as a call does.
  ///
  /// - Parameter wait: Bounds each wait of SQLite for a lock of a reader or another program.
  /// - Throws: `StorageError.locked` after the timeout; `StorageError.replaced`; what `body` throws.
  func maintain<Value: Sendable>(
    waitingAtMost wait: Duration?, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    let value = try await exclusively(waitingAtMost: .nanoseconds(timeout)) { [self] db, busy in
      try fileGuard.verify(db)
      return try busy.limited(to: wait ?? .nanoseconds(timeout)) { try body(db) }
    }
    guard let value else { throw StorageError.locked(path: files.lock, milliseconds: Int(timeout / 1_000_000)) }
    return value
  }

  /// Runs `body` on the writer's connection under the commit lock, outside of a transaction.
  ///
  /// - Returns: `nil` if another process kept the lock for that time.
  /// - Throws: Why nothing is written any more; what `body` throws.
  func exclusively<Value: Sendable>(
    waitingAtMost wait: Duration = exclusiveWait,
    _ body: @escaping @Sendable (Database, BusyHandler) throws -> Value
  ) async throws -> Value? {
    try await withCheckedThrowingContinuation { continuation in
      submitExclusively(waitingAtMost: wait, body) { continuation.resume(with: $0) }
    }
  }

  /// As `exclusively`, without waiting for it.
  func submitExclusively<Value: Sendable>(
    waitingAtMost wait: Duration = exclusiveWait,
    _ body: @escaping @Sendable (Database, BusyHandler) throws -> Value,
    then end: @escaping @Sendable (Result<Value?, any Error>) -> Void
  ) {
    exclusiveWork.add(
      .init(
        run: { [self] db, busy in
          end(
            Result {
              if let refusal = calls.refusal { throw refusal }
              return try lock.withLock(whileWaiting: { $0 < wait }) { try body(db, busy) }
            })
        }, fail: { end(.failure($0)) }))
    thread.async { [self] in takeExclusiveWork() }
  }

  private func takeExclusiveWork() {
    do {
      if let refusal = calls.refusal { throw refusal }
      let writer = try openedWriter()
      writer.connection.writeWithoutTransaction { db in exclusiveWork.take()?.run(db, writer.busy) }
    } catch {
      exclusiveWork.take()?.fail(error)
    }
  }

  /// Returns when what follows the commit that has just been acknowledged is done, such as a checkpoint: a call before that
  /// would get the lock again before any other process.
  func settle() async {
    await withCheckedContinuation { continuation in
      exclusiveWork.add(.init(run: { _, _ in continuation.resume() }, fail: { _ in continuation.resume() }))
      thread.async { [self] in takeExclusiveWork() }
    }
  }

  /// From now on every new call fails with that; on damage those that are waiting too.
  func refuse(because refusal: StorageError) { calls.refuse(because: refusal) }

  /// Takes the refusal back that damage was the reason for.
  func acceptAfterDamage() { calls.acceptAfterDamage() }

  /// Waits for the calls that came before, and closes the connection.
  func close() throws {
    refuse(because: .closed(path: files.path))
    try thread.sync {
      let open = writer.withLock { writer in
        defer { writer = nil }
        return writer
      }
      try open?.connection.close()
    }
  }

  // MARK: Committing

  private func startDraining() { thread.async { self.drain() } }

  private func drain() {
    do {
      let writer = try openedWriter()
      writer.connection.writeWithoutTransaction { db in
        while let count = commitNext(db, writer.busy) {
          exclusiveWork.take()?.run(db, writer.busy)
          linger(for: count)
        }
      }
    } catch {
      calls.failAll(error)
    }
  }

  /// The connection; opened by the first call.
  private func openedWriter() throws -> Writer {
    if let writer = writer.withLock({ $0 }) { return writer }
    let busy = BusyHandler { [self] waited in
      // A transaction that has begun is brought to its end, in the time that a call may take.
      isCommitting.load(ordering: .relaxed) ? waited < timeout : calls.expire(waitingFor: files.path)
    }
    // Of a file that was removed SQLite reports only that it cannot be opened.
    try fileGuard.verify()
    let opened = Writer(connection: try openWriter(busy), busy: busy)
    writer.withLock { $0 = opened }
    return opened
  }

  /// Spins for the callers that have just been resumed: most call again at once.
  ///
  /// A single caller then finds the writer running, which saves half of the cost of a change of thread. Several share a commit
  /// again; a group that starts with the first of them would leave the others to wait for two commits. Ends when all have
  /// called again, or when no call has come for 100 µs.
  private func linger(for count: Int) {
    var waiting = 0
    let start = DispatchTime.now().uptimeNanoseconds
    var lastArrival = start
    while waiting < count {
      let now = DispatchTime.now().uptimeNanoseconds
      if now - start > Self.longestLingerNanoseconds { return }
      let arrived = calls.count
      if arrived > waiting {
        waiting = arrived
        lastArrival = now
      } else if now - lastArrival > Self.lingerNanoseconds {
        return
      }
      sched_yield()
    }
  }

  /// Commits the calls that are in the queue when the locks have been obtained.
  ///
  /// - Returns: How many they were; `nil` if there are none, and so draining has ended.
  private func commitNext(_ db: Database, _ busy: BusyHandler) -> Int? {
    if calls.endIfEmpty() { return nil }
    do {
      let count = try lock.withLock(whileWaiting: { _ in calls.expire(waitingFor: files.lock) }) {
        guard try begin(db) else { return 0 }
        isCommitting.store(true, ordering: .relaxed)
        defer { isCommitting.store(false, ordering: .relaxed) }
        let group = calls.take(atMost: Self.maximumGroup)
        do {
          try commit(group, db, busy)
        } catch {
          for call in group { call.fail(error) }
        }
        return group.count
      }
      return count ?? 0
    } catch {
      // The lock file itself cannot be used: that fails every call that waits for it. Its directory may be gone.
      let reason = Result { try fileGuard.verify() }
      let failed = calls.take(atMost: Self.maximumGroup)
      for call in failed {
        if case .failure(let gone) = reason { call.fail(gone) } else { call.fail(error) }
      }
      return failed.count
    }
  }

  /// - Returns: Whether the transaction has begun; false if another program kept the lock until no call was left.
  private func begin(_ db: Database) throws -> Bool {
    do {
      // Cached, because preparing the statements would cost a short transaction a tenth of its time.
      try db.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
      return true
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      // For calls that came meanwhile the wait begins. The pause is for the case that SQLite has not called the busy handler.
      if calls.expire(waitingFor: files.path) { usleep(1000) }
      return false
    }
  }

  /// Ends the transaction that has begun.
  private func commit(_ group: [CallQueue.Call], _ db: Database, _ busy: BusyHandler) throws {
    var start = DispatchTime.now().uptimeNanoseconds
    if let outcome = try transact(group, db) {
      let took = Self.duration(since: start)
      if let committed, let first = group.lazy.map(\.arrival).min() {
        committed(group.count, .nanoseconds(Int64(clamping: start &- min(first, start))), took)
      }
      for resume in outcome { resume() }
      afterCommit(db, busy, took)
      return
    }
    for call in group {
      do {
        start = DispatchTime.now().uptimeNanoseconds
        try db.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
        let outcome = try transact([call], db)
        let took = Self.duration(since: start)
        for resume in outcome ?? [] { resume() }
        afterCommit(db, busy, took)
      } catch {
        call.fail(error)
      }
    }
  }

  private static func duration(since start: UInt64) -> Duration {
    .nanoseconds(Int64(clamping: DispatchTime.now().uptimeNanoseconds &- start))
  }

  /// One transaction for the whole group, which has begun.
  ///
  /// - Returns: What resumes the callers; `nil` if one of several calls failed after it had written: then all is rolled
  ///   back, and each must be tried alone.
  private func transact(_ group: [CallQueue.Call], _ db: Database) throws -> [@Sendable () -> Void]? {
    do {
      if let refusal = calls.refusal, refusal.isDamage, !group.allSatisfy(\.writesDespiteDamage) {
        throw refusal
      }
      try schemaGuard.verify(db)
      var resumptions: [@Sendable () -> Void] = []
      resumptions.reserveCapacity(group.count)
      var rest = group[...]
      while let work = rest.first?.work {
        let together = rest.prefix { $0.work === work }
        rest = rest.dropFirst(together.count)
        let before = db.totalChangesCount
        do {
          resumptions += try work.perform(together.map(\.number), db)
        } catch {
          let hasWritten = db.totalChangesCount != before || !db.isInsideTransaction
          if hasWritten && group.count > 1 {
            try rollBack(db)
            return nil
          }
          if hasWritten { throw error }
          resumptions += together.map { call in { call.fail(error) } }
        }
      }
      // A commit must not be acknowledged into files that no name leads to.
      try fileGuard.verify(db)
      try db.cachedStatement(sql: "COMMIT").execute()
      return resumptions
    } catch let error as DatabaseError where [.SQLITE_IOERR, .SQLITE_CORRUPT].contains(error.resultCode) {
      try rollBack(db)
      // SQLite reads garbage from a log that was cut short: report that.
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
