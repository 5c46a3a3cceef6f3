import EpisodicMemory
import GRDB
import SQLiteStorage

/// Maps `Episode` to a row of `episodes`.
enum EpisodeRow {
  /// In the order in which `decode` reads them.
  static let columns = """
    e.seq, e.id, e.task_type, e.domain, e.session, e.context, e.status, e.success_rate, e.created_at, e.completed_at, \
    e.metadata, e.embedding_version
    """

  static func fetch(_ db: Database, id: Episode.ID, in scope: Query.Scope = .everything) throws -> Episode? {
    guard let domain = scope.onlyDomain else { return try fetch(db, where: "e.id = ?", [id.rawValue]) }
    return try fetch(db, where: "e.id = ? AND e.domain = ?", [id.rawValue, domain])
  }

  static func fetch(_ db: Database, row: Int64) throws -> Episode? {
    try fetch(db, where: "e.seq = ?", [row])
  }

  private static func fetch(_ db: Database, where condition: String, _ arguments: StatementArguments) throws -> Episode?
  {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM episodes e WHERE \(condition)")
    let rows = try Row.fetchCursor(statement, arguments: arguments)
    guard let row = try rows.next() else { return nil }
    return try decode(row, db)
  }

  /// The episode with its steps.
  static func decode(_ row: Row, _ db: Database) throws -> Episode {
    let id = Episode.ID(composed: try row.value(1))
    let completedAt: Int64? = try row.value(9)
    return Episode(
      id: id, taskType: TaskType(try row.value(2)), domain: try row.value(3), session: try row.value(4),
      context: try row.value(5), status: Episode.Status(stored: try row.value(6)), successRate: try row.value(7),
      createdAt: Timestamp(milliseconds: try row.value(8)),
      completedAt: completedAt.map(Timestamp.init(milliseconds:)),
      metadata: JSON(storedObject: try row.value(10)), embeddingVersion: try row.value(11),
      steps: try StepRow.fetchAll(db, of: id, row: row.value(0) as Int64))
  }

  private static let insertion = RowInsert(
    into: "episodes",
    "seq, id, task_type, domain, session, context, status, success_rate, created_at, completed_at, metadata")

  /// Inserts episodes with their steps.
  ///
  /// - Parameter episodes: Each with the row number of the episode it replaces, so that it keeps its place in a list; `nil`
  ///   for a new one. Those with a row number come first, or a new one might take it.
  static func insert(_ episodes: [(episode: Episode, row: Int64?)], _ db: Database) throws {
    try insertion(episodes, db) { entry, row in
      let episode = entry.episode
      try row.bind(entry.row)
      try row.bind(episode.id.rawValue)
      try row.bind(episode.taskType.rawValue)
      try row.bind(episode.domain)
      try row.bind(episode.session?.canonicallyComposed)
      try row.bind(episode.context)
      try row.bind(episode.status.rawValue)
      try row.bind(episode.successRate)
      try row.bind(episode.createdAt.milliseconds)
      try row.bind(episode.completedAt?.milliseconds)
      try row.bind(episode.metadata.canonicalText)
    }
    try StepRow.insert(episodes.flatMap { entry in entry.episode.steps.map { (entry.episode.id, $0) } }, db)
  }

  /// Finds the rows of episodes by their ids, with one statement.
  struct Lookup: ~Copyable {
    private var rows: RawStatement

    init(_ db: Database) throws { rows = try RawStatement("SELECT seq FROM episodes WHERE id = ?", db) }

    mutating func row(of id: Episode.ID) throws -> Int64? {
      try rows.bind(id.rawValue)
      guard try rows.step() else { return nil }
      defer { rows.reset() }
      return rows.integer(0)
    }
  }

  static func exists(_ id: Episode.ID, in scope: Query.Scope, _ db: Database) throws -> Bool {
    let statement = try db.cachedStatement(
      sql: "SELECT 1 FROM episodes WHERE id = ?1 AND (?2 IS NULL OR domain = ?2)")
    return try Int.fetchOne(statement, arguments: [id.rawValue, scope.onlyDomain]) != nil
  }
}

/// Maps `Step` to a row of `steps`.
enum StepRow {
  /// - Parameter row: The row number of the episode, which finds its steps if the id is not UTF-8 and was repaired.
  static func fetchAll(_ db: Database, of episode: Episode.ID, row: Int64? = nil) throws -> [Step] {
    let isRepaired = row != nil && episode.rawValue.unicodeScalars.contains("\u{FFFD}")
    let statement = try db.cachedStatement(
      sql: """
        SELECT id, step_number, action, result, tool, duration_ms, success, timestamp
        FROM steps WHERE episode_id = \(isRepaired ? "(SELECT id FROM episodes WHERE seq = ?)" : "?") ORDER BY step_number
        """)
    let rows = try Row.fetchCursor(statement, arguments: isRepaired ? [row] : [episode.rawValue])
    var steps: [Step] = []
    while let row = try rows.next() {
      let duration: Int64? = try row.value(5)
      steps.append(
        Step(
          id: Step.ID(composed: try row.value(0)), number: try row.value(1), action: try row.value(2),
          result: try row.value(3), tool: try row.value(4), duration: duration.map { .milliseconds($0) },
          success: try row.value(6), timestamp: Timestamp(milliseconds: try row.value(7))))
    }
    return steps
  }

  private static let insertion = RowInsert(
    into: "steps", "id, episode_id, step_number, action, result, tool, duration_ms, success, timestamp")

  static func insert(_ steps: [(episode: Episode.ID, step: Step)], _ db: Database) throws {
    try insertion(steps, db) { entry, row in
      let step = entry.step
      try row.bind(step.id.rawValue)
      try row.bind(entry.episode.rawValue)
      try row.bind(Int64(step.number))
      try row.bind(step.action)
      try row.bind(step.result)
      try row.bind(step.tool)
      try row.bind(step.duration?.milliseconds)
      try row.bind(step.success.map { $0 ? 1 : 0 as Int64 })
      try row.bind(step.timestamp.milliseconds)
    }
  }

  static func exists(_ number: Int, of episode: Episode.ID, _ db: Database) throws -> Bool {
    let statement = try db.cachedStatement(sql: "SELECT 1 FROM steps WHERE episode_id = ? AND step_number = ?")
    return try Int.fetchOne(statement, arguments: [episode.rawValue, number]) != nil
  }

  /// The id of the episode of a step; `nil` if there is no such step.
  static func episode(of step: Step.ID, _ db: Database) throws -> String? {
    let statement = try db.cachedStatement(sql: "SELECT episode_id FROM steps WHERE id = ?")
    return try String.fetchOne(statement, arguments: [step.rawValue])
  }
}

/// Scope and filter as SQL conditions on `episodes e`.
struct Conditions {
  private(set) var clauses: [String] = []
  private(set) var arguments = StatementArguments()

  init(_ filter: Episode.Filter, _ scope: Query.Scope) {
    if let domain = scope.onlyDomain { add("e.domain = ?", domain) }
    if let session = filter.session { add("e.session = ?", session.canonicallyComposed) }
    if let taskType = filter.taskType { add("e.task_type = ?", taskType.rawValue) }
    if let statuses = filter.statuses?.map(\.rawValue).sorted(), statuses.count < Episode.Status.allCases.count {
      clauses.append("e.status IN (\(statuses.map { _ in "?" }.joined(separator: ", ")))")
      arguments += StatementArguments(statuses)
    }
    if let after = filter.after { add("e.created_at >= ?", after.milliseconds) }
    if let before = filter.before { add("e.created_at < ?", before.milliseconds) }
  }

  mutating func add(_ clause: String, _ values: (any DatabaseValueConvertible)...) {
    clauses.append(clause)
    arguments += StatementArguments(values)
  }

  var whereClause: String { clauses.isEmpty ? "" : "WHERE " + clauses.joined(separator: " AND ") }
  /// Appended to other conditions.
  var andClause: String { clauses.map { " AND " + $0 }.joined() }
}

extension Query.Scope {
  /// The only domain it includes, as stored; `nil` if it includes all.
  var onlyDomain: String? {
    switch self {
    case .domain(let domain): domain.canonicallyComposed
    case .everything: nil
    }
  }
}
