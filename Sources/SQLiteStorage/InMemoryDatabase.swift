package import FileLocks
import Foundation
package import GRDB
import Synchronization

/// A SQLite database in the memory of this process, on one connection: no file is touched, and it is gone with the last
/// reference.
///
/// Reads and writes take turns, on threads that may wait.
package final class InMemoryDatabase: StoredDatabase {
  package let path = "the store in memory"
  package var isInFile: Bool { false }
  package var readOnlyReason: String? { nil }

  private static let maintenanceInterval: UInt64 = 256

  private struct State {
    var isClosed = false
    var damage: String?
    var lastNumber: UInt64 = 0
  }

  package let maintenanceLock = MaintenanceLock(path: nil)
  package var fileMaintenance: FileMaintenance? { nil }
  private let connection: DatabaseQueue
  private let migrator: Migrator
  private let maintenance: @Sendable (Database) throws -> Void
  private let commits: CommitCounter
  private let waiters: CommitWaiters
  private let state = Mutex(State())

  /// - Parameter now: Milliseconds since 1970, for the times at which migrations are applied.
  /// - Parameter maintenance: Run in the transaction of every 256th write.
  package init(
    applicationID: Int32, migrations: [Migration], now: @escaping @Sendable () -> Int64 = Migrator.systemTime,
    maintenance: @escaping @Sendable (Database) throws -> Void
  ) throws {
    connection = try DatabaseQueue(configuration: Connector.configuration())
    migrator = Migrator(migrations: migrations, path: path, now: now)
    self.maintenance = maintenance
    let commits = CommitCounter()
    self.commits = commits
    waiters = CommitWaiters(hasTimer: false) { commits.stamp }
    try connection.writeWithoutTransaction { [migrator] db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try migrator.migrate(db)
    }
  }

  // MARK: Reading

  package func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    return try await connectionWork.run { [self] in
      try requireOpen()
      return try connection.read(body)
    }
  }

  /// Always `nil`: a write may be using the connection.
  package func readWithoutWaiting<Value>(_ body: (Database) throws -> Value) throws -> Value? { nil }

  package func commitStamp() throws -> CommitStamp {
    try requireOpen()
    return commits.stamp
  }

  package func waitForCommit(after stamp: CommitStamp) async throws { try await waiters.wait(after: stamp) }

  // MARK: Writing

  package func write<Value: Sendable>(
    despiteDamage: Bool, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try Task.checkCancellation()
    return try await connectionWork.run { [self] in try transact(despiteDamage: despiteDamage, body) }
  }

  package func write<Request, Value>(_ request: Request, in batch: BatchedWrite<Request, Value>) async throws -> Value {
    try Task.checkCancellation()
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    return try await withCheckedThrowingContinuation { continuation in
      batch.add(request, number, continuation)
      connectionWork.submit { [self] in
        do {
          for resume in try transact(despiteDamage: false, { db in try batch.perform([number], db) }) { resume() }
        } catch {
          batch.fail(number, error)
        }
      }
    }
  }

  private func transact<Value>(despiteDamage: Bool, _ body: (Database) throws -> Value) throws -> Value {
    try requireOpen()
    if !despiteDamage, let damage = state.withLock({ $0.damage }) {
      throw StorageError.damaged(path: path, reason: "\(damage); it takes no more writes")
    }
    let value = try connection.write { db in
      let value = try body(db)
      if (commits.count + 1).isMultiple(of: Self.maintenanceInterval) { try maintenance(db) }
      return value
    }
    commits.add()
    waiters.check()
    return value
  }

  package func maintain<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try Task.checkCancellation()
    let value = try await connectionWork.run { [self] in
      try requireOpen()
      return try connection.writeWithoutTransaction(body)
    }
    commits.add()
    waiters.check()
    return value
  }

  /// There is no log.
  package func settle() async {}

  package func truncateLog(waitingAtMost wait: Duration) async throws -> Bool { true }

  package func refuseWrites(because reason: String) { state.withLock { $0.damage = reason } }
  package func acceptWrites() { state.withLock { $0.damage = nil } }

  // MARK: The schema

  package func inspectSchema(_ db: Database) throws -> (problems: [String], lostIndexes: [String]) {
    try migrator.problems(db)
  }

  package func restoreIndexes(_ db: Database) throws { try migrator.restoreIndexes(db) }

  /// Pages in memory.
  package var bytesOnDisk: Int64 {
    // For statistics: a closed database has none.
    (try? connection.read { db in
      try Int64.fetchOne(db, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    }) ?? 0
  }

  // MARK: Copying

  /// Writes wait while pages are copied: there is one connection.
  package func copy<Value: Sendable>(
    to target: String, progress: @escaping @Sendable (DatabaseCopy.Progress) -> Void,
    describing describe: @escaping @Sendable (Database) throws -> Value
  ) async throws -> (copy: DatabaseCopy, value: Value) {
    try await connectionWork.run(orThrow: CancellationError() as any Error) { [self] cancellation in
      try requireOpen()
      return try DatabaseCopy.make(
        of: connection, to: target,
        progress: { now in
          if cancellation.isCancelled { throw CancellationError() }
          progress(now)
        }, describing: describe)
    }
  }

  // MARK: Closing

  package func close() async throws {
    let wasClosed = state.withLock { state in
      defer { state.isClosed = true }
      return state.isClosed
    }
    guard !wasClosed else { return }
    waiters.end(with: .closed(path: path))
    try await connectionWork.run { [connection] in try connection.close() }
  }

  private func requireOpen() throws {
    if state.withLock({ $0.isClosed }) { throw StorageError.closed(path: path) }
  }
}

/// Counts the commits of one database in memory.
private final class CommitCounter: Sendable {
  private let commits = Atomic<UInt64>(0)
  /// Distinguishes this database from others.
  private let name = UInt64.random(in: 1 ... .max)

  var count: UInt64 { commits.load(ordering: .sequentiallyConsistent) }
  var stamp: CommitStamp { CommitStamp([count, 0, 0, 0, 0, 0, name, 2]) }

  func add() { commits.add(1, ordering: .sequentiallyConsistent) }
}
