import EpisodicMemory
import GRDB

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
    let status: String = try row.value(6)
    guard let status = Episode.Status(rawValue: status) else {
      throw MemoryError(.corrupted, "episode \"\(id)\" has the unknown status \"\(status)\"; restore a backup")
    }
    let completedAt: Int64? = try row.value(9)
    return Episode(
      id: id, taskType: TaskType(try row.value(2)), domain: try row.value(3), session: try row.value(4),
      context: try row.value(5), status: status, successRate: try row.value(7),
      createdAt: Timestamp(milliseconds: try row.value(8)),
      completedAt: completedAt.map(Timestamp.init(milliseconds:)),
      metadata: try JSON(stored: row.value(10), in: "the metadata of episode \"\(id)\""),
      embeddingVersion: try row.value(11), steps: try StepRow.fetchAll(db, of: id))
  }

  /// - Parameter row: The row it had before it is replaced, so that it keeps its place in a list; `nil` for a new one.
  static func insert(_ episode: Episode, at row: Int64? = nil, _ db: Database) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO episodes (seq, id, task_type, domain, session, context, status, success_rate, created_at, completed_at, metadata)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      row, episode.id.rawValue, episode.taskType.rawValue, episode.domain, episode.session?.canonicallyComposed,
      episode.context,
      episode.status.rawValue, episode.successRate, episode.createdAt.milliseconds, episode.completedAt?.milliseconds,
      episode.metadata.canonicalText,
    ])
    try StepRow.insert(episode.steps.map { (episode.id, $0) }, db)
  }

  /// The row of an episode; `nil` where there is none.
  static func row(of id: Episode.ID, _ db: Database) throws -> Int64? {
    try Int64.fetchOne(db.cachedStatement(sql: "SELECT seq FROM episodes WHERE id = ?"), arguments: [id.rawValue])
  }

  static func exists(_ id: Episode.ID, _ db: Database) throws -> Bool { try row(of: id, db) != nil }
}
