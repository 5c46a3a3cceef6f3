import GRDB
import StoreRows
import StoreValues

/// Rows of `workers`.
enum WorkerRow {
  static let columns =
    "id, kind, pid, status, current_task, tasks_completed, launches, memory_bytes, last_heartbeat, created_at, restarted_at"

  static func worker(_ row: Row) throws -> Ledger.Worker {
    Ledger.Worker(
      id: try row.id(0), kind: try row.name(1), pid: try row.value(2), status: try row.closed(3),
      currentTask: try row.id(ifAny: 4), tasksCompleted: try row.value(5), launches: try row.value(6),
      memoryBytes: try row.value(7), lastHeartbeat: try row.time(8), createdAt: try row.time(9),
      restartedAt: try row.time(ifAny: 10))
  }

  static func find(_ id: Ledger.Worker.ID, _ db: Database) throws -> Ledger.Worker? {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM workers WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map(worker)
  }

  /// - Throws: `.notFound` if it is not registered.
  static func require(_ id: Ledger.Worker.ID, _ db: Database) throws {
    let statement = try db.cachedStatement(sql: "SELECT 1 FROM workers WHERE id = ?")
    if try Int.fetchOne(statement, arguments: [id.rawValue]) == nil { throw MemoryError.noWorker(id) }
  }

  static func noteClaim(
    of task: Ledger.Task.ID, by id: Ledger.Worker.ID, at now: Timestamp, _ db: Database
  ) throws {
    try db.cachedStatement(
      sql: """
        UPDATE workers SET status = 'busy', current_task = coalesce(current_task, ?1), last_heartbeat = ?2 WHERE id = ?3
        """
    ).execute(arguments: [task.rawValue, now.milliseconds, id.rawValue])
  }

  static func noteHeartbeat(of id: Ledger.Worker.ID, at now: Timestamp, _ db: Database) throws {
    try db.cachedStatement(sql: "UPDATE workers SET last_heartbeat = ?1 WHERE id = ?2")
      .execute(arguments: [now.milliseconds, id.rawValue])
  }

  /// It has lost tasks, and not said so itself: it is idle unless it has another one, or is known to be otherwise.
  static func noteLoss(by id: String, _ db: Database) throws {
    let next = try String.fetchOne(db.cachedStatement(sql: nextTask), arguments: [id])
    try db.cachedStatement(
      sql: """
        UPDATE workers SET current_task = ?1, status = CASE WHEN ?1 IS NULL AND status = 'busy' THEN 'idle' ELSE status END
        WHERE id = ?2
        """
    ).execute(arguments: [next, id])
  }

  /// Of those that a worker has.
  static let nextTask =
    "SELECT id FROM tasks INDEXED BY tasks_of_worker WHERE worker_id = ? AND status = 'in_progress' ORDER BY priority, created_at, seq LIMIT 1"

  /// It is idle unless it has another task.
  static func noteEnd(
    of task: Ledger.Task.ID, by id: Ledger.Worker.ID, completed: Bool, at now: Timestamp, _ db: Database
  ) throws {
    let next = try String.fetchOne(db.cachedStatement(sql: nextTask), arguments: [id.rawValue])
    try db.cachedStatement(
      sql: """
        UPDATE workers SET status = ?1, current_task = ?2, tasks_completed = tasks_completed + ?3, last_heartbeat = ?4
        WHERE id = ?5
        """
    ).execute(arguments: [next == nil ? "idle" : "busy", next, completed ? 1 : 0, now.milliseconds, id.rawValue])
  }
}

extension MemoryError {
  static func noWorker(_ id: Ledger.Worker.ID) -> MemoryError {
    MemoryError(.notFound, "no worker \"\(id)\"; register it first")
  }
}
