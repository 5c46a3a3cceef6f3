import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Registers a worker, or says that one was started again: then its launches are counted, and what it had claimed goes back
  /// to the queue at once and counts as a crash, since its next heartbeat would keep what it does not know of.
  ///
  /// - Parameter id: `nil`: the ledger makes one.
  /// - Parameter pid: Of its process.
  @discardableResult
  public func register(
    worker id: Worker.ID? = nil, kind: Worker.Kind = "worker", pid: Int? = nil
  ) async throws(MemoryError) -> Worker {
    let input = database.input
    try input.identifier(id, "the worker's id")
    try input.name(kind.rawValue, "the worker's kind")
    if let pid, pid < 1 { throw MemoryError(.invalid, "the worker's pid is \(pid); it must be positive") }
    return try await database.write { db, now in
      let id = id ?? .generate(at: now)
      try db.execute(
        sql: """
          INSERT INTO workers (id, kind, pid, status, last_heartbeat, created_at) VALUES (?1, ?2, ?3, 'idle', ?4, ?4)
          ON CONFLICT (id) DO UPDATE SET kind = ?2, pid = ?3, status = 'idle', launches = launches + 1, last_heartbeat = ?4,
              restarted_at = ?4, current_task = NULL
          """, arguments: [id.rawValue, kind.rawValue, pid, now.milliseconds])
      try TaskQueue(db, now).takeBack(from: id)
      return try Self.stored(id, db)
    }
  }

  /// Says that a worker lives, and keeps all its tasks for another lease.
  ///
  /// - Returns: The tasks that were cancelled meanwhile, and have ended so: it stops working on them.
  /// - Throws: `.notFound`.
  @discardableResult
  public func heartbeat(
    worker id: Worker.ID, memoryBytes: Int64? = nil, lease: Duration = .seconds(60)
  ) async throws(MemoryError) -> [Task.ID] {
    try database.input.count(memoryBytes, "memoryBytes")
    let lease = try database.input.lease(lease)
    return try await database.write(grows: false) { db, now in
      try WorkerRow.require(id, db)
      if let memoryBytes {
        try db.execute(
          sql: "UPDATE workers SET memory_bytes = ? WHERE id = ?", arguments: [memoryBytes, id.rawValue])
      }
      try WorkerRow.noteHeartbeat(of: id, at: now, db)
      let queue = TaskQueue(db, now)
      let tasks = try String.fetchAll(
        db,
        sql:
          "SELECT id FROM tasks INDEXED BY tasks_of_worker WHERE worker_id = ? AND status = 'in_progress' ORDER BY seq",
        arguments: [id.rawValue])
      return try tasks.map { Task.ID(composed: $0) }.filter { task in
        try queue.heartbeat(task, by: id, lease: lease) == .stop
      }
    }
  }

  /// Says what a worker is doing: that it was stopped, or was found crashed. What it had claimed goes back to the queue at
  /// once in these two cases; a crash counts for its tasks, and a stop gives them back as if it had not claimed them.
  ///
  /// - Throws: `.notFound`.
  @discardableResult
  public func set(_ status: Worker.Status, of id: Worker.ID) async throws(MemoryError) -> Worker {
    try await database.write(grows: false) { db, now in
      try WorkerRow.require(id, db)
      try db.execute(
        sql: "UPDATE workers SET status = ?1 WHERE id = ?2", arguments: [status.rawValue, id.rawValue])
      switch status {
      case .crashed: try TaskQueue(db, now).takeBack(from: id)
      case .stopped: try TaskQueue(db, now).giveBack(from: id)
      case .idle, .busy, .restarting: break
      }
      return try Self.stored(id, db)
    }
  }

  /// The worker with an id; `nil` if there is none.
  public func worker(_ id: Worker.ID) async throws(MemoryError) -> Worker? {
    try await database.read { db in try WorkerRow.find(id, db) }
  }

  /// Workers, those heard of last first.
  ///
  /// - Parameter status: `nil` for any.
  public func workers(_ status: Worker.Status? = nil, limit: Int = 100) async throws(MemoryError) -> [Worker] {
    try database.input.page(limit)
    return try await database.read { db in
      let condition = status == nil ? "" : "WHERE status = ?"
      var arguments: StatementArguments = []
      if let status { arguments += [status.rawValue] }
      return try Row.fetchAll(
        db, sql: "SELECT \(WorkerRow.columns) FROM workers \(condition) ORDER BY last_heartbeat DESC, seq LIMIT ?",
        arguments: arguments + [limit]
      ).map(WorkerRow.worker)
    }
  }

  /// Removes a worker that has no task.
  ///
  /// - Throws: `.notFound`; `.conflict` if it has a task: set it to stopped first.
  public func remove(worker id: Worker.ID) async throws(MemoryError) {
    try await database.write(grows: false) { db, now in
      try WorkerRow.require(id, db)
      let task = try String.fetchOne(
        db,
        sql: "SELECT id FROM tasks INDEXED BY tasks_of_worker WHERE worker_id = ? AND status = 'in_progress' LIMIT 1",
        arguments: [id.rawValue]
      )
      if let task {
        throw MemoryError(.conflict, "worker \"\(id)\" has task \"\(task)\"; set it to stopped first")
      }
      try db.execute(sql: "DELETE FROM workers WHERE id = ?", arguments: [id.rawValue])
    }
  }

  private static func stored(_ id: Worker.ID, _ db: Database) throws -> Worker {
    guard let worker = try WorkerRow.find(id, db) else { throw MemoryError.noWorker(id) }
    return worker
  }
}
