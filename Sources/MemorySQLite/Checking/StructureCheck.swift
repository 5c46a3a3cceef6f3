import EpisodicMemory
import GRDB
import SQLiteStorage

/// Checks of what holds the rows.
enum StructureCheck {
  /// Pages, types, CHECK and UNIQUE constraints, and ordinary indexes against their tables.
  ///
  /// - Throws: `DatabaseError` of SQLite's code where a page cannot be read: that says something about the disk, or about
  ///   the moment, and nothing yet about the page.
  static func integrity(_ db: Database) throws -> Check {
    var findings = try String.fetchAll(db, sql: "PRAGMA integrity_check(5)")
    if let failure = readFailure(in: findings) { throw failure }
    if findings == ["ok"] { findings = try brokenRules(db) }
    return Check(
      "integrity of the database",
      findings.isEmpty
        ? .passed : .damaged("\(findings.joined(separator: "; ")): restore a backup, or use sqlite3 .recover"))
  }

  /// What kept `integrity_check` from reading a page, which it tells among the findings; `nil` if all were read.
  static func readFailure(in findings: [String]) -> DatabaseError? {
    for finding in findings {
      guard let match = finding.firstMatch(of: /Page (\d+): unable to get the page\. error code=(\d+)/),
        let code = CInt(match.2), code & 0xFF != ResultCode.SQLITE_CORRUPT.rawValue
      else { continue }
      return DatabaseError(
        resultCode: ResultCode(rawValue: code),
        message: "page \(match.1) cannot be read (SQLite error \(code)); look at the disk, then run check again")
    }
    return nil
  }

  /// The CHECK constraints of the tables: on a connection that only reads, integrity_check leaves them out.
  private static func brokenRules(_ db: Database) throws -> [String] {
    try rules.compactMap { table, rule in
      let id = try String.fetchOne(db, sql: "SELECT id FROM \(table) WHERE NOT (\(rule)) LIMIT 1")
      return id.map { id in "the row \"\(id)\" of \(table) breaks a CHECK of the table" }
    }
  }

  /// A rule about NULL is neither kept nor broken, as in SQLite.
  private static let rules = [
    (
      "episodes",
      """
      \(isID) AND task_type <> '' AND domain <> '' AND coalesce(session, 'x') <> '' AND coalesce(success_rate, 0) BETWEEN 0 AND 1
      AND status IN ('active', 'completed', 'failed', 'archived') AND coalesce(completed_at, created_at) >= created_at
      AND CASE WHEN json_valid(metadata) THEN json_type(metadata) = 'object' ELSE 0 END
      """
    ),
    (
      "steps",
      "\(isID) AND step_number > 0 AND coalesce(duration_ms, 0) >= 0 AND coalesce(success, 0) IN (0, 1)"
    ),
    ("embeddings", "\(isID) AND model_name <> '' AND dimensions > 0 AND length(embedding) = 4 * dimensions"),
    (
      "patterns",
      """
      \(isID) AND pattern_type <> '' AND length(data_hash) = 64 AND coalesce(success_rate, 0) BETWEEN 0 AND 1
      AND usage_count >= 0 AND json_valid(pattern_data)
      AND CASE WHEN json_valid(metadata) THEN json_type(metadata) = 'object' ELSE 0 END
      """
    ),
  ]
  private static let isID = "length(CAST(id AS BLOB)) BETWEEN 1 AND 128"

  static func schema(_ db: Database, _ database: WALDatabase) throws -> Check {
    let (problems, lostIndexes) = try database.inspectSchema(db)
    if let problem = problems.first {
      let others = problems.count == 1 ? "" : " (and \(problems.count - 1) more)"
      return Check("schema", .damaged(problem + others))
    }
    guard !lostIndexes.isEmpty else { return Check("schema", .passed) }
    let names = lostIndexes.joined(separator: ", ")
    return Check("schema", .failed("another program dropped the index \(names), so queries are slow; run rebuild"))
  }

  /// What was left behind by a program that had switched triggers off, or dropped them.
  static func orphans(_ db: Database) throws -> Check {
    let rows = try Row.fetchAll(
      db, sql: "SELECT source, count(*), min(episode_id) FROM orphans GROUP BY source ORDER BY source DESC")
    guard let first = rows.first else { return Check("rows without an owner", .passed) }
    let list: [String] = try rows.map { row in
      let (count, source): (Int, String) = (try row.value(1), try row.value(0))
      return "\(count) \(source)"
    }
    let episode: String = try first.value(2)
    return Check(
      "rows without an owner",
      .failed(
        "\(list.joined(separator: ", ")), of the episode \"\(episode)\" and maybe others: no verb shows them; rebuild sets them aside"
      ))
  }
}

/// The table `changes`.
enum ChangeFeed {
  /// Revisions only grow, also when the last ones are deleted: who follows the feed would take new ones for known.
  static func check(_ db: Database) throws -> Check {
    let sequence = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM sqlite_sequence WHERE name = 'changes'") ?? 0
    let last = try SQLiteSnapshot.watermark(db).revision
    if let exhaustion = exhaustion(sequence) { return Check("change feed", .damaged(exhaustion)) }
    return Check(
      "change feed",
      last >= sequence
        ? .passed : .failed("it ends at revision \(last), but \(sequence) were given out: run rebuild"))
  }

  /// Adds a change that concerns nothing where the newest ones are gone.
  static func goOn(_ db: Database) throws {
    guard try check(db).outcome != .passed else { return }
    try db.execute(sql: "INSERT INTO changes (subject, key) VALUES ('pattern', '')")
  }

  /// Why no revision can be given out any more; `nil` while there are enough left for as long as a disk lasts.
  static func exhaustion(_ sequence: Int64) -> String? {
    guard sequence > Int64.max - 1 << 40 else { return nil }
    return """
      another program set sqlite_sequence of changes to \(sequence), so no revision is left; run UPDATE sqlite_sequence \
      SET seq = (SELECT max(revision) FROM changes) WHERE name = 'changes'
      """
  }
}
