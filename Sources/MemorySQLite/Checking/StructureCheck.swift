import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// Checks pages, constraints, schema and ownership of rows.
enum StructureCheck {
  /// Pages, types, CHECK and UNIQUE constraints, and ordinary indexes against their tables.
  ///
  /// - Throws: `DatabaseError` with SQLite's code if a page cannot be read: a failing read is a fault of the disk, perhaps a
  ///   passing one, and no proof of damage.
  static func integrity(_ db: Database) throws -> MemoryCheck {
    var outcome = try outcome(try String.fetchAll(db, sql: "PRAGMA integrity_check(5)"))
    if outcome == .passed {
      let broken = try brokenConstraints(db)
      if !broken.isEmpty { outcome = damage(broken) }
    }
    return MemoryCheck(integrityName, outcome)
  }

  static let integrityName = "integrity of the database"

  /// Of what `integrity_check` or `quick_check` lists.
  static func outcome(_ problems: [String]) throws -> MemoryCheck.Outcome {
    if let failure = readFailure(in: problems) { throw failure }
    return problems == ["ok"] ? .passed : damage(problems)
  }

  private static func damage(_ problems: [String]) -> MemoryCheck.Outcome {
    .damaged("\(problems.joined(separator: "; ")): restore a backup, or call Memory.salvage(from:to:)")
  }

  /// The failed read that `integrity_check` lists among its problems; `nil` if every page was read.
  static func readFailure(in problems: [String]) -> DatabaseError? {
    for problem in problems {
      guard let match = problem.firstMatch(of: /Page (\d+): unable to get the page\. error code=(\d+)/),
        let code = CInt(match.2), code & 0xFF != ResultCode.SQLITE_CORRUPT.rawValue
      else { continue }
      return DatabaseError(
        resultCode: ResultCode(rawValue: code),
        message: "page \(match.1) cannot be read (SQLite error \(code)); look at the disk, then call check() again")
    }
    return nil
  }

  /// The first row of each table that breaks a CHECK constraint: on a read-only connection `integrity_check` skips them.
  private static func brokenConstraints(_ db: Database) throws -> [String] {
    try constraints.compactMap { table, constraint in
      let id = try String.fetchOne(db, sql: "SELECT id FROM \(table) WHERE NOT (\(constraint)) LIMIT 1")
      return id.map { id in "the row \"\(id)\" of \(table) breaks a CHECK of the table" }
    }
  }

  /// The CHECK constraints of the migrations; as in SQLite, NULL satisfies each.
  private static let constraints = [
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

  static func schema(_ db: Database, _ database: any StoredDatabase) throws -> MemoryCheck {
    let (problems, lostIndexes) = try database.inspectSchema(db)
    if let problem = problems.first {
      let others = problems.count == 1 ? "" : " (and \(problems.count - 1) more)"
      return MemoryCheck("schema", .damaged(problem + others))
    }
    guard !lostIndexes.isEmpty else { return MemoryCheck("schema", .passed) }
    let names = lostIndexes.joined(separator: ", ")
    return MemoryCheck(
      "schema", .failed("another program dropped the index \(names), so queries are slow; call rebuild()"))
  }

  /// What the view of rows without an owner does not list: a vector of a step that is gone.
  private static func brokenForeignKey(_ db: Database) throws -> MemoryCheck.Outcome {
    guard let row = try Row.fetchOne(db, sql: "PRAGMA foreign_key_check") else { return .passed }
    let (table, parent): (String, String) = (try row.value(0), try row.value(2))
    return .failed("a row of \(table) belongs to a row of \(parent) that is not there; correct or delete it")
  }

  /// Rows left behind by a program that disabled or dropped the triggers.
  static func orphans(_ db: Database) throws -> MemoryCheck {
    let rows = try Row.fetchAll(
      db, sql: "SELECT source, count(*), min(episode_id) FROM orphans GROUP BY source ORDER BY source DESC")
    guard let first = rows.first else { return MemoryCheck("rows without an owner", try brokenForeignKey(db)) }
    let list: [String] = try rows.map { row in
      let (count, source): (Int, String) = (try row.value(1), try row.value(0))
      return "\(count) \(source)"
    }
    let episode: String = try first.value(2)
    return MemoryCheck(
      "rows without an owner",
      .failed(
        "\(list.joined(separator: ", ")), of the episode \"\(episode)\" and maybe others: no verb shows them; rebuild sets them aside"
      ))
  }
}
