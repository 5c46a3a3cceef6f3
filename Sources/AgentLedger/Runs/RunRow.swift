import GRDB
import StoreRows
import StoreValues

/// Rows of `runs`.
enum RunRow {
  static let columns = """
    id, agent_id, session, parent_id, task_id, domain, task_type, status, context, config, success_rate, cost, error, pid, \
    last_heartbeat, started_at, completed_at, episode_id
    """
  static let byID = "SELECT \(columns) FROM runs WHERE id = ?"

  static func run(_ row: Row) throws -> Ledger.Run {
    Ledger.Run(
      id: try row.id(0), agent: try row.id(ifAny: 1), session: try row.value(2), parent: try row.id(ifAny: 3),
      task: try row.id(ifAny: 4), domain: try row.text(5), taskType: try row.name(6), status: try row.closed(7),
      context: try row.text(8), config: try row.json(9), successRate: try row.value(10), cost: try row.value(11),
      error: try row.value(12), pid: try row.value(13), lastHeartbeat: try row.time(14), startedAt: try row.time(15),
      completedAt: try row.time(ifAny: 16), episode: try row.value(17))
  }

  static func find(_ id: Ledger.Run.ID, _ db: Database) throws -> Ledger.Run? {
    try Row.fetchOne(db.cachedStatement(sql: byID), arguments: [id.rawValue]).map(run)
  }

  /// - Throws: `.notFound`.
  static func stored(_ id: Ledger.Run.ID, _ db: Database) throws -> Ledger.Run {
    guard let run = try find(id, db) else { throw MemoryError.noRun(id) }
    return run
  }

  /// Notes a sign of life.
  static func noteHeartbeat(of id: Ledger.Run.ID, at now: Timestamp, _ db: Database) throws {
    try db.cachedStatement(sql: "UPDATE runs SET last_heartbeat = ?1 WHERE id = ?2")
      .execute(arguments: [now.milliseconds, id.rawValue])
  }

  // MARK: Lists

  /// Newest first; the last parameter is the limit.
  static func list(_ conditions: RowConditions) -> String {
    "SELECT \(columns) FROM runs \(conditions.clause) ORDER BY started_at DESC, seq DESC LIMIT ?"
  }

  static func conditions(_ filter: Ledger.Run.Filter) -> RowConditions {
    var conditions = RowConditions()
    conditions.add("status = ?", filter.status?.rawValue)
    conditions.add("domain = ?", filter.domain?.canonicallyComposed)
    conditions.add("session = ?", filter.session?.canonicallyComposed)
    conditions.add("agent_id = ?", filter.agent?.rawValue)
    conditions.add("task_id = ?", filter.task?.rawValue)
    conditions.add("parent_id = ?", filter.parent?.rawValue)
    conditions.add("task_type = ?", filter.taskType?.rawValue.canonicallyComposed)
    conditions.add("started_at >= ?", filter.since?.milliseconds)
    conditions.add("started_at < ?", filter.until?.milliseconds)
    return conditions
  }

  /// - Throws: `.notFound` if the last one of the page before is not there any more.
  static func place(of id: Ledger.Run.ID, _ db: Database) throws -> (Int64, Int64) {
    let statement = try db.cachedStatement(sql: "SELECT started_at, seq FROM runs WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [id.rawValue]) else { throw MemoryError.noRun(id) }
    return (try row.value(0), try row.value(1))
  }
}

extension MemoryError {
  static func noRun(_ id: Ledger.Run.ID) -> MemoryError {
    MemoryError(.notFound, "no run \"\(id)\"; start it first, or look for it with runs(_:after:limit:)")
  }
}

/// A draft that has been checked.
struct NewRun: Sendable {
  let draft: Ledger.Run.Draft
  let config: String

  init(_ draft: Ledger.Run.Draft, _ input: LedgerInput) throws(MemoryError) {
    var draft = draft
    try input.identifier(draft.id, "the run's id")
    try input.identifier(draft.agent, "the run's agent")
    try input.identifier(draft.parent, "the run's parent")
    try input.identifier(draft.task, "the run's task")
    try input.name(draft.taskType.rawValue, "the run's taskType")
    try input.name(draft.domain, "the run's domain")
    try input.name(draft.session, "the run's session")
    try input.text(draft.context, "the run's context")
    try input.time(draft.startedAt, "the run's startedAt")
    if draft.domain == nil, draft.task == nil {
      throw MemoryError(.invalid, "the run has no domain and no task; give it a domain, or a task whose domain it has")
    }
    if let pid = draft.pid, !(1...Int(Int32.max)).contains(pid) {
      throw MemoryError(.invalid, "the run's pid is \(pid); it must be from 1 to \(Int32.max)")
    }
    guard !draft.status.isEnded else {
      throw MemoryError(
        .invalid, "the run's status is \(draft.status.rawValue); start it, and then end it with finish(run:as:)")
    }
    config = try input.object(draft.config, "the run's config")
    draft.domain = draft.domain?.canonicallyComposed
    draft.session = draft.session?.canonicallyComposed
    draft.taskType = Ledger.Run.TaskType(rawValue: draft.taskType.rawValue.canonicallyComposed)
    self.draft = draft
  }

  /// - Throws: `.notFound` if its agent, parent or task is not there; `.conflict` if the id is taken.
  func insert(at now: Timestamp, _ db: Database) throws -> Ledger.Run.ID {
    if let id = draft.id, try RunRow.find(id, db) != nil {
      throw MemoryError(.conflict, "there is a run \"\(id)\" already; leave the id to the ledger")
    }
    if let agent = draft.agent { _ = try AgentRow.stored(agent, db) }
    if let parent = draft.parent { _ = try RunRow.stored(parent, db) }
    var (domain, session) = (draft.domain, draft.session)
    if let id = draft.task {
      guard let task = try TaskRow.find(id, db) else { throw MemoryError.noTask(id) }
      domain = domain ?? task.domain
      session = session ?? task.session
    }
    let id = draft.id ?? .generate(at: now)
    try db.cachedStatement(
      sql: """
        INSERT INTO runs (id, agent_id, session, parent_id, task_id, domain, task_type, status, context, config, pid,
            last_heartbeat, started_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        """
    ).execute(arguments: [
      id.rawValue, draft.agent?.rawValue, session, draft.parent?.rawValue, draft.task?.rawValue, domain,
      draft.taskType.rawValue, draft.status.rawValue, draft.context, config, draft.pid, now.milliseconds,
      (draft.startedAt ?? now).milliseconds,
    ])
    return id
  }
}
