import GRDB
import Synchronization

/// The one writer of a process: calls that arrive while a commit runs share the next one.
///
/// A caller is answered after the commit that holds its changes. A call that fails takes nothing with it: if it had
/// written, the group is rolled back and each of its calls gets a transaction of its own. So a body may run twice and
/// must depend on nothing but the database and what it captured.
final class GroupCommit: Sendable {
  /// A call that waits: `perform` does its work and returns what tells its caller of success.
  private struct Call: Sendable {
    let perform: @Sendable (Database) throws -> @Sendable () -> Void
    let fail: @Sendable (any Error) -> Void
  }

  private struct State {
    var waiting: [Call] = []
    var isDraining = false
  }

  /// Bounds the work that one failing commit can undo.
  private static let maximumGroup = 1024

  private let state = Mutex(State())
  private let writer: DatabasePool
  private let lock: CommitLock
  private let afterCommit: @Sendable (Database) -> Void

  /// - Parameter afterCommit: Called on the writer's queue, under the lock, after each commit.
  init(writer: DatabasePool, lock: CommitLock, afterCommit: @escaping @Sendable (Database) -> Void) {
    self.writer = writer
    self.lock = lock
    self.afterCommit = afterCommit
  }

  func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let call = Call(
        perform: { db in
          let value = try body(db)
          return { continuation.resume(returning: value) }
        },
        fail: { continuation.resume(throwing: $0) })
      let mustDrain = state.withLock { state in
        state.waiting.append(call)
        defer { state.isDraining = true }
        return !state.isDraining
      }
      if mustDrain {
        writer.asyncWriteWithoutTransaction { db in self.drain(db) }
      }
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
    }
  }

  private func commit(_ group: [Call], _ db: Database) {
    do {
      let outcome = try lock.withLock {
        let outcome = try transact(group, db)
        if outcome != nil { afterCommit(db) }
        return outcome
      }
      if let outcome {
        for tell in outcome { tell() }
      } else {
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
    try db.beginTransaction(.immediate)
    do {
      var tell: [@Sendable () -> Void] = []
      tell.reserveCapacity(group.count)
      for call in group {
        let before = db.totalChangesCount
        do {
          tell.append(try call.perform(db))
        } catch {
          let hasWritten = db.totalChangesCount != before || !db.isInsideTransaction
          if hasWritten && group.count > 1 {
            try rollBack(db)
            return nil
          }
          if hasWritten { throw error }
          tell.append { call.fail(error) }
        }
      }
      try db.commit()
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
