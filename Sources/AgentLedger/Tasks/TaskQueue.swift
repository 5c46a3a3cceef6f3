import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// What happens to tasks, in one transaction at one time.
struct TaskQueue {
  let db: Database
  let now: Timestamp

  init(_ db: Database, _ now: Timestamp) {
    (self.db, self.now) = (db, now)
  }

  // MARK: Adding

  /// - Returns: A task for each new one, in order.
  func add(_ new: [NewTask]) throws -> [Ledger.Task.Added] {
    var present: [Int: Ledger.Task] = [:]
    var first: [String: Int] = [:]
    var inserted: [NewTask] = []
    var ids: Set<Ledger.Task.ID> = []
    for (index, task) in new.enumerated() {
      if let hash = task.contentHash {
        if let queued = try queued(hash, in: task.draft.domain) {
          present[index] = queued
          continue
        }
        let key = hash + task.draft.domain
        guard first[key] == nil else { continue }
        first[key] = index
      }
      try refuseTaken(task, besides: ids)
      ids.insert(task.id)
      inserted.append(task)
    }
    try TaskRow.insert(inserted, at: now, db)
    return try new.enumerated().map { index, task in
      if let queued = present[index] { return Ledger.Task.Added(task: queued, isNew: false) }
      let source = task.contentHash.flatMap { first[$0 + task.draft.domain] } ?? index
      guard let stored = try TaskRow.find(new[source].id, db) else { throw MemoryError.noTask(new[source].id) }
      return Ledger.Task.Added(task: stored, isNew: source == index)
    }
  }

  private func queued(_ hash: String, in domain: String) throws -> Ledger.Task? {
    var row = try RawStatement(Self.byHash, db)
    try row.bind(domain)
    try row.bind(hash)
    return try row.step() ? TaskRow.task(row) : nil
  }

  static let byHash = """
    SELECT \(TaskRow.columns) FROM tasks WHERE domain = ? AND content_hash = ? AND status IN ('pending', 'in_progress')
    """

  /// - Parameter ids: Of the tasks of this call before it, of which one may be its parent.
  private func refuseTaken(_ task: NewTask, besides ids: Set<Ledger.Task.ID>) throws {
    if task.draft.id != nil, try ids.contains(task.id) || TaskRow.find(task.id, db) != nil {
      throw MemoryError(.conflict, "there is a task \"\(task.id)\" already; leave the id to the ledger")
    }
    if let parent = task.draft.parent, try !ids.contains(parent) && TaskRow.find(parent, db) == nil {
      throw MemoryError.noTask(parent)
    }
    if let person = task.draft.person {
      let statement = try db.cachedStatement(sql: "SELECT 1 FROM people WHERE id = ?")
      guard try Row.fetchOne(statement, arguments: [person.rawValue]) != nil else {
        throw MemoryError(.notFound, "no person \"\(person)\"; add the person first")
      }
    }
  }

  // MARK: Claiming

  func claim(_ claim: TaskClaim) throws -> [Ledger.Task] {
    let found = try look(for: claim.worker)
    if found.isSomethingDue { try recover() }
    var claimed: [(task: Ledger.Task, seq: Int64)] = []
    var row = try RawStatement(claim.sql, db)
    try claim.bind(to: &row, at: now)
    while try row.step() { claimed.append((try TaskRow.task(row), try row.value(TaskRow.columnCount))) }
    // An UPDATE returns its rows in any order.
    let tasks = claimed.sorted { a, b in
      (a.task.priority.rawValue, a.task.createdAt, a.task.notBefore, a.seq)
        < (b.task.priority.rawValue, b.task.createdAt, b.task.notBefore, b.seq)
    }.map { $0.task }
    guard let first = tasks.first else { return [] }
    // What came due may have changed the worker's row.
    if found.isSomethingDue || !found.isWorkerNoted {
      try WorkerRow.noteClaim(of: first.id, by: claim.worker, at: now, db)
    }
    return tasks
  }

  /// What a claim finds before it takes anything.
  private struct Look {
    /// Whether the worker's row says that it works on a task, and that it was heard of within the last second.
    let isWorkerNoted: Bool
    let isSomethingDue: Bool
  }

  /// By one statement: an UPDATE that finds no row costs several times a look at its index.
  ///
  /// - Throws: `.notFound` if the worker is not registered.
  private func look(for worker: Ledger.Worker.ID) throws -> Look {
    var statement = try RawStatement(Self.looking, db)
    try statement.bind(now.milliseconds)
    try statement.bind(worker.rawValue)
    guard try statement.step() else { throw MemoryError.noWorker(worker) }
    return Look(isWorkerNoted: statement.integer(0) != 0, isSomethingDue: statement.integer(1) != 0)
  }

  /// Parameters: now, the worker.
  static let looking = """
    SELECT status = 'busy' AND current_task IS NOT NULL AND last_heartbeat BETWEEN ?1 - 999 AND ?1,
        EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_leased_since WHERE \(isOfLaterLease))
        OR EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_backing_off WHERE \(isOfLaterPause))
        OR EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_delayed WHERE \(isToWake))
        OR EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_leased WHERE status = 'in_progress' AND \(isLapsed.sql))
    FROM workers WHERE id = ?2
    """
  private static let isOfLaterLease = "status = 'in_progress' AND waits_since > ?1"
  private static let isOfLaterPause = "status = 'pending' AND is_ready = 0 AND attempts > 0 AND waits_since > ?1"
  private static let isToWake = "status = 'pending' AND is_ready = 0 AND not_before <= ?1"

  /// What time brings: tasks whose time has come are ready, and leases that ran out are taken back.
  func recover() throws {
    try beginWaitsAgain()
    try wake()
    try takeBack()
  }

  /// When the clock was set back behind the beginning of a wait, the wait begins again: no lease and no pause before another
  /// attempt lasts longer than it was to. A task that must not be claimed before a time keeps that time.
  private func beginWaitsAgain() throws {
    for sql in [Self.leasesBeginAgain, Self.pausesBeginAgain] {
      try db.cachedStatement(sql: sql).execute(arguments: [now.milliseconds])
    }
  }

  static let leasesBeginAgain = """
    UPDATE tasks INDEXED BY tasks_leased_since SET lease_until = ?1 + (lease_until - waits_since), waits_since = ?1
    WHERE \(isOfLaterLease)
    """
  static let pausesBeginAgain = """
    UPDATE tasks INDEXED BY tasks_backing_off SET not_before = ?1 + (not_before - waits_since), waits_since = ?1
    WHERE \(isOfLaterPause)
    """

  /// Tasks whose time has come are ready.
  private func wake() throws {
    try db.cachedStatement(sql: Self.waking).execute(arguments: [now.milliseconds])
  }

  static let waking = "UPDATE tasks INDEXED BY tasks_delayed SET is_ready = 1 WHERE \(isToWake)"

  /// Tasks whose lease has run out go back to the queue; those that were cancelled meanwhile, or whose worker died too often,
  /// are ended.
  private func takeBack() throws {
    let statement = try db.cachedStatement(sql: Self.takingBack(Self.isLapsed))
    let workers = try String.fetchSet(statement, arguments: [now.milliseconds])
    for worker in workers.sorted() { try WorkerRow.noteLoss(by: worker, db) }
  }

  /// The same of all tasks of a worker that died, whatever their leases.
  func takeBack(from worker: Ledger.Worker.ID) throws {
    let statement = try db.cachedStatement(sql: Self.takingBack(Self.isOfWorker))
    _ = try String.fetchSet(statement, arguments: [now.milliseconds, worker.rawValue])
    try WorkerRow.noteLoss(by: worker.rawValue, db)
  }

  /// All tasks of a worker that has stopped go back as if it had not claimed them.
  func giveBack(from worker: Ledger.Worker.ID) throws {
    try db.cachedStatement(sql: Self.givingBack).execute(arguments: [now.milliseconds, worker.rawValue])
    try WorkerRow.noteLoss(by: worker.rawValue, db)
  }

  static let isLapsed = (index: "tasks_leased", sql: "lease_until <= ?1")
  static let isOfWorker = (index: "tasks_of_worker", sql: "worker_id = ?2")
  static let givingBack = """
    UPDATE tasks INDEXED BY tasks_of_worker SET attempts = max(0, attempts - 1), lease_until = NULL, is_ready = 1, is_cancelling = 0, waits_since = ?1,
        status = CASE WHEN is_cancelling THEN 'cancelled' ELSE 'pending' END,
        completed_at = CASE WHEN is_cancelling THEN ?1 END
    WHERE status = 'in_progress' AND worker_id = ?2
    """

  static func takingBack(_ lost: (index: String, sql: String)) -> String {
    """
    UPDATE tasks INDEXED BY \(lost.index) SET crashes = crashes + 1, lease_until = NULL, is_ready = 1, is_cancelling = 0, waits_since = ?1,
        status = CASE WHEN is_cancelling THEN 'cancelled' WHEN crashes + 1 >= max_crashes THEN 'failed' ELSE 'pending' END,
        completed_at = CASE WHEN is_cancelling OR crashes + 1 >= max_crashes THEN ?1 END,
        error = CASE WHEN is_cancelling THEN error
            WHEN crashes + 1 >= max_crashes
                THEN 'set aside: its worker died or was silent ' || (crashes + 1) || ' times, last ' || worker_id
            ELSE 'the lease of ' || worker_id || ' ran out' END
    WHERE status = 'in_progress' AND \(lost.sql) RETURNING worker_id
    """
  }

  // MARK: What a claimant does

  func heartbeat(_ id: Ledger.Task.ID, by worker: Ledger.Worker.ID, lease: Int64) throws -> Ledger.Task.Instruction {
    let task = try claimed(id, by: worker)
    guard !task.isCancelling else {
      try end(task, as: .cancelled, error: task.error)
      return .stop
    }
    try db.cachedStatement(sql: "UPDATE tasks SET lease_until = ?1 + ?2, waits_since = ?1 WHERE id = ?3")
      .execute(arguments: [now.milliseconds, lease, id.rawValue])
    try WorkerRow.noteHeartbeat(of: worker, at: now, db)
    return .goOn
  }

  func complete(_ id: Ledger.Task.ID, by worker: Ledger.Worker.ID, _ ending: TaskEnding) throws -> Ledger.Task {
    let task = try claimed(id, by: worker)
    try end(task, as: .completed, error: nil)
    try ending.write(for: id, success: true, error: nil, at: now, db)
    return try stored(id)
  }

  func fail(
    _ id: Ledger.Task.ID, by worker: Ledger.Worker.ID, error: String, mayRetry: Bool, _ ending: TaskEnding
  ) throws -> Ledger.Task {
    let task = try claimed(id, by: worker)
    let failures = max(1, task.attempts - task.crashes)
    if task.isCancelling {
      try end(task, as: .cancelled, error: error)
    } else if mayRetry, failures < task.maximumAttempts {
      let notBefore = now.advanced(by: Backoff.tasks.delay(after: failures))
      try db.cachedStatement(
        sql: """
          UPDATE tasks SET status = 'pending', is_ready = 0, lease_until = NULL, not_before = ?1, waits_since = ?2, error = ?3
          WHERE id = ?4
          """
      ).execute(arguments: [notBefore.milliseconds, now.milliseconds, error, id.rawValue])
      try WorkerRow.noteEnd(of: id, by: worker, completed: false, at: now, db)
    } else {
      try end(task, as: .failed, error: error)
    }
    try ending.write(for: id, success: false, error: error, at: now, db)
    return try stored(id)
  }

  /// - Throws: `.conflict` if it is not the worker's: its lease may have run out.
  private func claimed(_ id: Ledger.Task.ID, by worker: Ledger.Worker.ID) throws -> Ledger.Task {
    let task = try stored(id)
    guard task.status == .inProgress else {
      throw MemoryError(
        .conflict, "task \"\(id)\" is \(task.status.rawValue), not in progress; stop working on it, and claim it again")
    }
    guard task.worker == worker else {
      throw MemoryError(
        .conflict,
        "task \"\(id)\" is claimed by \"\(task.worker?.rawValue ?? "nobody")\", not by \"\(worker)\"; stop working on it"
      )
    }
    return task
  }

  // MARK: Ending

  func cancel(_ id: Ledger.Task.ID) throws -> Ledger.Task {
    let task = try stored(id)
    switch task.status {
    case .completed, .failed, .cancelled: return task
    case .pending: try end(task, as: .cancelled, error: task.error)
    case .inProgress:
      try db.execute(sql: "UPDATE tasks SET is_cancelling = 1 WHERE id = ?", arguments: [id.rawValue])
    }
    return try stored(id)
  }

  func retry(_ id: Ledger.Task.ID) throws -> Ledger.Task {
    let task = try stored(id)
    guard task.status == .failed else {
      throw MemoryError(.conflict, "task \"\(id)\" is \(task.status.rawValue); only one that has failed can be retried")
    }
    if let hash = task.contentHash, let queued = try queued(hash, in: task.domain) {
      throw MemoryError(.conflict, "the work of task \"\(id)\" is queued already, as task \"\(queued.id)\"")
    }
    try db.execute(
      sql: """
        UPDATE tasks SET status = 'pending', is_ready = 1, attempts = 0, crashes = 0, not_before = ?1, waits_since = ?1,
            completed_at = NULL, is_cancelling = 0
        WHERE id = ?2
        """, arguments: [now.milliseconds, id.rawValue])
    return try stored(id)
  }

  private func end(_ task: Ledger.Task, as status: Ledger.Task.Status, error: String?) throws {
    try db.cachedStatement(
      sql: """
        UPDATE tasks SET status = ?1, lease_until = NULL, completed_at = ?2, error = ?3, is_cancelling = 0 WHERE id = ?4
        """
    ).execute(arguments: [status.rawValue, now.milliseconds, error, task.id.rawValue])
    if let worker = task.worker, task.status == .inProgress {
      try WorkerRow.noteEnd(of: task.id, by: worker, completed: status == .completed, at: now, db)
    }
  }

  private func stored(_ id: Ledger.Task.ID) throws -> Ledger.Task {
    guard let task = try TaskRow.find(id, db) else { throw MemoryError.noTask(id) }
    return task
  }
}
