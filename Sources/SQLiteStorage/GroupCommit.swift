import Foundation
import GRDB
import Synchronization

/// The one writer of a process: calls that arrive while a commit runs share the next one.
///
/// A caller is answered after the commit that holds its changes. A call that fails takes nothing with it: if it had
/// written, the group is rolled back and each of its calls gets a transaction of its own. So a body may run twice and
/// must depend on nothing but the database and what it captured.
final class GroupCommit: Sendable {
  /// A call that waits. Neighbours in one lane are performed together, by the first one's `perform`.
  private struct Call: Sendable {
    let lane: ObjectIdentifier?
    let request: any Sendable
    /// Does the work of the requests and returns, for each of them, what tells its caller.
    let perform: @Sendable (_ requests: [any Sendable], Database) throws -> [@Sendable () -> Void]
    let fail: @Sendable (any Error) -> Void
  }

  private struct State {
    var waiting: [Call] = []
    var isDraining = false
  }

  /// Bounds the work that one failing commit can undo.
  private static let maximumGroup = 1024
  /// A fraction of what a synced commit takes, and twice what a caller needs to come back.
  private static let patienceNanoseconds: UInt64 = 100_000
  /// However many come one after another, the first of them is not kept waiting for longer.
  private static let mostPatienceNanoseconds: UInt64 = 1_000_000

  private let state = Mutex(State())
  private let writer: DatabasePool
  private let lock: CommitLock
  private let afterCommit: @Sendable (Database) -> Void

  /// - Parameter afterCommit: Called on the writer's queue, under the lock, after each commit has been acknowledged.
  init(writer: DatabasePool, lock: CommitLock, afterCommit: @escaping @Sendable (Database) -> Void) {
    self.writer = writer
    self.lock = lock
    self.afterCommit = afterCommit
  }

  func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      submit(
        Call(
          lane: nil, request: (),
          perform: { _, db in
            let value = try body(db)
            return [{ continuation.resume(returning: value) }]
          },
          fail: { continuation.resume(throwing: $0) }))
    }
  }

  func write<Request, Value>(_ request: Request, in lane: WriteLane<Request, Value>) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      submit(
        Call(
          lane: ObjectIdentifier(lane), request: WriteLane<Request, Value>.Entry(request, continuation),
          perform: { requests, db in try lane.perform(requests, db) },
          fail: { continuation.resume(throwing: $0) }))
    }
  }

  private func submit(_ call: Call) {
    let mustDrain = state.withLock { state in
      state.waiting.append(call)
      defer { state.isDraining = true }
      return !state.isDraining
    }
    if mustDrain {
      writer.asyncWriteWithoutTransaction { db in self.drain(db) }
    }
  }

  private func drain(_ db: Database) {
    while true {
      let group = state.withLock { state in
        let group = Array(state.waiting.prefix(Self.maximumGroup))
        state.waiting.removeFirst(group.count)
        state.isDraining = !group.isEmpty
        return group
      }
      if group.isEmpty { return }
      commit(group, db)
      linger(for: group.count)
    }
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

  private func commit(_ group: [Call], _ db: Database) {
    do {
      let isCommitted = try lock.withLock {
        guard let outcome = try transact(group, db) else { return false }
        for tell in outcome { tell() }
        afterCommit(db)
        return true
      }
      if !isCommitted {
        for call in group { commit([call], db) }
      }
    } catch {
      for call in group { call.fail(error) }
    }
  }

  /// One transaction for the whole group.
  ///
  /// - Returns: What tells the callers; `nil` where one of several calls failed after it had written, all is rolled back,
  ///   and each must be tried alone.
  private func transact(_ group: [Call], _ db: Database) throws -> [@Sendable () -> Void]? {
    // Cached, because preparing the two statements would cost a short transaction a tenth of its time.
    try db.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
    do {
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
      try db.cachedStatement(sql: "COMMIT").execute()
      return tell
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
