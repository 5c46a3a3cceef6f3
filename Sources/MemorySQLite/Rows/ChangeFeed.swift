import EpisodicMemory
import GRDB
import SQLiteStorage

/// The table `changes`: one row per committed change, written by triggers, read by what follows the primary.
enum ChangeFeed {
  /// Rows kept in the feed; a cache or an index that is further behind is rebuilt.
  static let length: Int64 = 200_000

  /// The last change in the transaction's snapshot.
  static func watermark(_ db: Database) throws -> Watermark {
    let statement = try db.cachedStatement(sql: "SELECT revision, nonce FROM changes ORDER BY revision DESC LIMIT 1")
    let rows = try Row.fetchCursor(statement)
    guard let row = try rows.next() else { return .beginning }
    return Watermark(revision: try row.value(0), nonce: try row.value(1))
  }

  static func changes(after watermark: Watermark?, limit: Int, _ db: Database) throws -> ChangeBatch {
    let end = try Self.watermark(db)
    guard let watermark, try isInHistory(watermark, db) else {
      return ChangeBatch(asked: watermark, continues: false, changes: [], end: end, isComplete: true)
    }
    var rows = try RawStatement(changesAfter, db)
    try rows.bind(watermark.revision)
    try rows.bind(Int64(limit))
    var changes: [Change] = []
    var domain = RepeatedText()
    var last = watermark
    while try rows.step() {
      last = Watermark(revision: rows.integer(0), nonce: rows.integer(1))
      changes.append(
        Change(
          revision: last.revision, subject: try subject(rows.text(2), of: last.revision), key: rows.text(3),
          domain: rows.isNull(4) ? nil : domain.text(rows.bytes(4)), finished: rows.integer(5) != 0,
          row: rows.isNull(6) ? nil : rows.integer(6), step: rows.isNull(7) ? nil : rows.integer(7)))
    }
    return ChangeBatch(asked: watermark, continues: true, changes: changes, end: last, isComplete: last == end)
  }

  static let changesAfter = """
    SELECT revision, nonce, subject, key, domain, finished, row, step FROM changes
    WHERE revision > ? ORDER BY revision LIMIT ?
    """

  private static func subject(_ text: String, of revision: Int64) throws -> Change.Subject {
    guard let subject = Change.Subject(rawValue: text) else {
      throw MemoryError(.corrupted, "change \(revision) has the unknown subject \"\(text)\"; use a newer build")
    }
    return subject
  }

  /// Whether the feed still holds everything after `watermark` and belongs to the history `watermark` was read from.
  private static func isInHistory(_ watermark: Watermark, _ db: Database) throws -> Bool {
    if watermark == .beginning {
      let first = try Int64.fetchOne(db.cachedStatement(sql: "SELECT min(revision) FROM changes"))
      return first == nil || first == 1
    }
    let statement = try db.cachedStatement(sql: "SELECT nonce FROM changes WHERE revision = ?")
    return try Int64.fetchOne(statement, arguments: [watermark.revision]) == watermark.nonce
  }

  // MARK: Maintenance

  /// Deletes all but the last `length` rows; the newest row always stays.
  static func prune(_ db: Database) throws {
    try db.execute(
      sql: "DELETE FROM changes WHERE revision <= (SELECT max(revision) FROM changes) - ?", arguments: [length])
  }

  /// Revisions only grow, even if the newest rows are deleted: a follower would take a reused revision for one it has
  /// applied.
  static func check(_ db: Database) throws -> MemoryCheck {
    let sequence = try highestRevision(db)
    if let exhaustion = exhaustion(sequence) { return MemoryCheck("change feed", .damaged(exhaustion)) }
    let last = try watermark(db).revision
    return MemoryCheck(
      "change feed",
      last >= sequence
        ? .passed : .failed("it ends at revision \(last), but \(sequence) were given out: call rebuild()"))
  }

  /// Appends a change without a subject if the newest rows were deleted, so that the feed ends at the highest revision.
  static func repair(_ db: Database) throws {
    guard try check(db).outcome != .passed else { return }
    try db.execute(sql: "INSERT INTO changes (subject, key) VALUES ('pattern', '')")
  }

  /// The highest revision given out; 0 before the first.
  static func highestRevision(_ db: Database) throws -> Int64 {
    try Int64.fetchOne(db, sql: "SELECT max(seq) FROM sqlite_sequence WHERE name = 'changes'") ?? 0
  }

  /// Why no revision can be given out any more; `nil` while at least 2^40 are left.
  static func exhaustion(_ sequence: Int64) -> String? {
    guard sequence > Int64.max - 1 << 40 else { return nil }
    return """
      another program set sqlite_sequence of changes to \(sequence), so no revision is left; execute UPDATE sqlite_sequence \
      SET seq = (SELECT max(revision) FROM changes) WHERE name = 'changes'
      """
  }
}
