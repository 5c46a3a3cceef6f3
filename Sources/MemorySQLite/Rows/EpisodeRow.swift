import EpisodicMemory
import GRDB
import SQLiteStorage

/// A row of `episodes`, between `Episode` and its columns.
enum EpisodeRow {
  /// In the order in which `decode` reads them.
  static let columns = """
    e.seq, e.id, e.task_type, e.domain, e.session, e.context, e.status, e.success_rate, e.created_at, e.completed_at, \
    e.metadata, e.embedding_version
    """

  static func fetch(_ db: Database, id: Episode.ID) throws -> Episode? {
    try fetch(db, where: "e.id = ?", id.rawValue)
  }

  static func fetch(_ db: Database, row: Int64) throws -> Episode? {
    try fetch(db, where: "e.seq = ?", row)
  }

  private static func fetch(_ db: Database, where condition: String, _ key: any DatabaseValueConvertible) throws
    -> Episode?
  {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM episodes e WHERE \(condition)")
    let rows = try Row.fetchCursor(statement, arguments: [key])
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
  /// - Parameter episodes: Each with the row it had before it is replaced, so that it keeps its place in a list; `nil`
  ///   for a new one. Those with a row first, or a new one might take it.
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

    /// `nil` where there is none.
    mutating func row(of id: Episode.ID) throws -> Int64? {
      try rows.bind(id.rawValue)
      guard try rows.step() else { return nil }
      defer { rows.reset() }
      return rows.integer(0)
    }
  }

  static func exists(_ id: Episode.ID, _ db: Database) throws -> Bool {
    var lookup = try Lookup(db)
    return try lookup.row(of: id) != nil
  }
}
