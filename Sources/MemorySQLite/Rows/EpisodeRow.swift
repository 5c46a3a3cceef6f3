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
    let id = Episode.ID(rawValue: row[1])
    let status: String = row[6]
    guard let status = Episode.Status(rawValue: status) else {
      throw MemoryError(.corrupted, "episode \"\(id)\" has the unknown status \"\(status)\"; restore a backup")
    }
    let completedAt: Int64? = row[9]
    return Episode(
      id: id, taskType: TaskType(row[2]), domain: row[3], session: row[4], context: row[5], status: status,
      successRate: row[7], createdAt: Timestamp(milliseconds: row[8]),
      completedAt: completedAt.map(Timestamp.init(milliseconds:)), metadata: try JSON(text: row[10]),
      embeddingVersion: row[11], steps: try StepRow.fetchAll(db, of: id))
  }

  static func insert(_ episode: Episode, _ db: Database) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO episodes (id, task_type, domain, session, context, status, success_rate, created_at, completed_at, metadata)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      episode.id.rawValue, episode.taskType.rawValue, episode.domain, episode.session, episode.context,
      episode.status.rawValue, episode.successRate, episode.createdAt.milliseconds, episode.completedAt?.milliseconds,
      episode.metadata.canonicalText,
    ])
    try StepRow.insert(episode.steps.map { (episode.id, $0) }, db)
  }

  static func exists(_ id: Episode.ID, _ db: Database) throws -> Bool {
    try Int.fetchOne(db.cachedStatement(sql: "SELECT 1 FROM episodes WHERE id = ?"), arguments: [id.rawValue]) != nil
  }
}
