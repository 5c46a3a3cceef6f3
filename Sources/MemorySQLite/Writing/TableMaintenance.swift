import EpisodicMemory
import GRDB

/// Merges of the segments of a full-text index.
///
/// FTS5 merges while it writes: with each 64th page that is added to an index, 64 pages a level, in one piece, which is 50 to
/// 100 ms for whoever deletes a row or appends a step. Beside a merge of all segments, and while many rows are deleted, inserts
/// and deletions therefore merge nothing but levels of 16 segments, and the slices of maintenance merge what they leave. A process
/// that is killed leaves that to the next run.
enum TextMerge {
  /// Segments of a level that an insert merges: FTS5's own default.
  private static let mergedByInserts = 4
  /// Whose rows go with an episode.
  private static let ofEpisodes = [TextIndex.episodes, .steps]

  /// - Parameter pages: What the merge may write, in pages of the index of about 4 KB.
  /// - Parameter begins: Whether to begin a merge of all segments into one, which is what `optimize` does at once.
  static func merge(_ text: TextIndex, pages: Int, begins: Bool, _ db: Database) throws -> MaintenanceSlice {
    if begins { try set("automerge", of: text, to: 0, db) }
    let isComplete = try mergeSome(text, begins ? -pages : pages, db)
    if isComplete { try letInsertsMerge(text, db) }
    return MaintenanceSlice(done: isComplete ? 0 : pages, isComplete: isComplete)
  }

  /// Merges for about as long as a slice takes, or until nothing is left.
  ///
  /// - Parameter pages: What each piece of it may write to an index.
  static func mergeBesideDeletions(pages: Int, _ db: Database) throws -> MaintenanceSlice {
    let begin = ContinuousClock.now
    for text in ofEpisodes where try !isHeld(text, db) { try set("automerge", of: text, to: 0, db) }
    var unfinished = ofEpisodes
    var done = 0
    repeat {
      unfinished = try unfinished.filter { text in try !mergeSome(text, pages, db) }
      done += pages * unfinished.count
    } while !unfinished.isEmpty && ContinuousClock.now - begin < SliceSize.target
    return MaintenanceSlice(done: done, isComplete: unfinished.isEmpty)
  }

  /// Whether inserts merge nothing in one of the indexes.
  static func isHeld(_ db: Database) throws -> Bool {
    for text in TextIndex.allCases where try isHeld(text, db) { return true }
    return false
  }

  static func letInsertsMerge(_ db: Database) throws -> MaintenanceSlice {
    for text in TextIndex.allCases { try letInsertsMerge(text, db) }
    return MaintenanceSlice()
  }

  private static func letInsertsMerge(_ text: TextIndex, _ db: Database) throws {
    if try isHeld(text, db) { try set("automerge", of: text, to: mergedByInserts, db) }
  }

  private static func isHeld(_ text: TextIndex, _ db: Database) throws -> Bool {
    try Int.fetchOne(db, sql: "SELECT v FROM \(text.rawValue)_config WHERE k = 'automerge'") == 0
  }

  /// - Returns: Whether nothing is left to merge.
  private static func mergeSome(_ text: TextIndex, _ pages: Int, _ db: Database) throws -> Bool {
    let before = db.totalChangesCount
    try set("merge", of: text, to: pages, db)
    // www.sqlite.org/fts5.html#the_merge_command: fewer than two changes say that there was nothing to do.
    return db.totalChangesCount - before < 2
  }

  private static func set(_ command: String, of text: TextIndex, to value: Int, _ db: Database) throws {
    try db.execute(
      sql: "INSERT INTO \(text.rawValue) (\(text.rawValue), rank) VALUES ('\(command)', ?)", arguments: [value])
  }
}

/// What the query planner knows of the tables (`sqlite_stat1`).
enum PlannerStatistics {
  /// Rows of each index that are examined.
  private static let limit = 400

  /// Tables with an index. Of one without, ANALYZE counts the rows by reading all of it, while writers wait: 1 s for the full text
  /// of a million steps, of which the planner needs nothing.
  private static let tables = """
    SELECT name FROM sqlite_schema t
    WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND EXISTS (SELECT 1 FROM pragma_index_list(t.name))
      AND NOT EXISTS (
        SELECT 1 FROM sqlite_schema v
        WHERE v.sql LIKE 'CREATE VIRTUAL %' AND substr(t.name, 1, length(v.name) + 1) IN (v.name, v.name || '_'))
    ORDER BY name
    """

  static func update(table: Int, _ db: Database) throws -> MaintenanceSlice {
    let tables = try String.fetchAll(db, sql: Self.tables)
    guard tables.indices.contains(table) else { return MaintenanceSlice() }
    try db.execute(sql: "PRAGMA analysis_limit = \(limit)")
    try db.execute(sql: "ANALYZE \(tables[table].quotedDatabaseIdentifier)")
    return MaintenanceSlice(done: 1, isComplete: table == tables.count - 1)
  }
}

/// Pages of the database file that hold nothing.
enum FreePages {
  /// Those that the next commits will use.
  private static let reserve = 256

  private static func count(_ db: Database) throws -> (free: Int, all: Int) {
    (
      try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0,
      try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
    )
  }

  /// Free pages beyond a reserve: 1 MiB, and a fiftieth of the file.
  private static func surplus(_ db: Database) throws -> Int {
    let (free, all) = try count(db)
    return free - max(reserve, all / 50)
  }

  /// Whether there are so many that it is worth to give some back: twice the reserve.
  static func areMany(_ db: Database) throws -> Bool {
    let (free, all) = try count(db)
    return free > 2 * max(reserve, all / 50)
  }

  /// Moves pages from the end of the file into free ones, and cuts the file.
  static func release(_ amount: Int, _ db: Database) throws -> MaintenanceSlice {
    guard try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") == 2 else {
      return MaintenanceSlice(
        obstacle: "memory.sqlite was made by an earlier version, which cannot give pages back a few at a time; a full "
          + "run does it at once")
    }
    let surplus = try surplus(db)
    let pages = min(amount, surplus)
    guard pages > 0 else { return MaintenanceSlice() }
    try db.execute(sql: "PRAGMA incremental_vacuum(\(pages))")
    return MaintenanceSlice(done: pages, isComplete: pages == surplus)
  }
}
