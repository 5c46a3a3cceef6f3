import EpisodicMemory
import GRDB
import SQLiteStorage

/// Episodes that are deleted, and whose steps are too many or too long to go in one transaction.
///
/// The transaction that deletes such an episode moves it into a domain that no verb can name and that every read leaves out:
/// for those who read, watch or write it is gone. What is left of it goes in slices, and a process that is killed meanwhile
/// leaves the rest to the next run of maintenance.
enum DeletedEpisodes {
  /// As a literal of SQL.
  static let domain = "'\(Validation.reservedDomain)'"
  /// Whether `episodes e` is none of them.
  static let excluded = "e.domain <> \(domain)"

  /// What is deleted in one transaction: some 20 ms.
  private static let stepsAtOnce = 400
  private static let bytesAtOnce: Int64 = 256 << 10

  /// The last steps of an episode, as many as are deleted at once, at least one.
  private struct LastSteps {
    private(set) var rows: [Int64] = []
    private(set) var areAll = true

    init(of episode: String, _ db: Database) throws {
      var steps = try RawStatement(DeletedEpisodes.lastSteps, db)
      try steps.bind(episode)
      try steps.bind(Int64(DeletedEpisodes.stepsAtOnce + 1))
      var bytes: Int64 = 0
      while try steps.step() {
        bytes &+= steps.integer(1)
        guard rows.isEmpty || rows.count < DeletedEpisodes.stepsAtOnce && bytes <= DeletedEpisodes.bytesAtOnce else {
          areAll = false
          return
        }
        rows.append(steps.integer(0))
      }
    }
  }

  /// The steps of an episode with their bytes, the last first; arguments: episode, limit.
  static let lastSteps = """
    SELECT s.seq, length(CAST(s.action AS BLOB)) + coalesce(length(CAST(s.result AS BLOB)), 0)
        + (SELECT coalesce(sum(length(m.embedding) + length(CAST(m.content AS BLOB))), 0) FROM embeddings m
           WHERE m.step_id = s.id)
    FROM steps s WHERE s.episode_id = ? ORDER BY s.step_number DESC LIMIT ?
    """

  /// Deletes an episode: its rows if they are few, and else what shows it.
  ///
  /// - Returns: Whether all of it is gone; if not, `sweep` deletes the rest.
  static func delete(_ row: Int64, _ id: Episode.ID, _ db: Database) throws -> Bool {
    if try LastSteps(of: id.rawValue, db).areAll {
      try db.cachedStatement(sql: "DELETE FROM episodes WHERE seq = ?").execute(arguments: [row])
      return true
    }
    // The feed says what it says of a deletion: with the episode go its steps and vectors.
    try db.execute(
      sql: """
        INSERT INTO changes (subject, key, domain, finished, row, step, kind)
            SELECT 'episode', id, domain, 1, seq, 0, 'implied' FROM episodes WHERE seq = ?;
        INSERT INTO changes (subject, key, domain, row, kind)
            SELECT 'embedding', m.id, e.domain, m.seq, 'implied' FROM episodes e JOIN embeddings m ON m.episode_id = e.id
            WHERE e.seq = ?;
        DELETE FROM episode_patterns WHERE episode_id = (SELECT id FROM episodes WHERE seq = ?);
        UPDATE episodes SET domain = \(domain), session = NULL, status = 'archived' WHERE seq = ?;
        """, arguments: [row, row, row, row])
    return false
  }

  /// Deletes a part of what is left of an episode.
  static func sweep(_ db: Database) throws -> DeletionSweep {
    var first = try RawStatement(Self.first, db)
    guard try first.step() else { return .nothing }
    let (row, id) = (first.integer(0), first.text(1))
    first.reset()
    let last = try LastSteps(of: id, db)
    guard !last.areAll else {
      try db.cachedStatement(sql: "DELETE FROM episodes WHERE seq = ?").execute(arguments: [row])
      return .finished
    }
    let deletion = try db.cachedStatement(sql: "DELETE FROM steps WHERE seq = ?")
    for step in last.rows { try deletion.execute(arguments: [step]) }
    return .partly
  }

  /// Deletes what is left of an episode whose id is wanted again.
  ///
  /// - Returns: Whether it was one of these.
  static func deleteRest(of id: Episode.ID, _ db: Database) throws -> Bool {
    try db.cachedStatement(sql: "DELETE FROM episodes WHERE id = ? AND domain = \(domain)")
      .execute(arguments: [id.rawValue])
    return db.changesCount > 0
  }

  static let first = "SELECT seq, id FROM episodes WHERE domain = \(domain) LIMIT 1"

  static func count(_ db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "SELECT count(*) FROM episodes WHERE domain = \(domain)") ?? 0
  }
}
