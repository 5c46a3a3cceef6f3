import EpisodicMemory
import GRDB
import SQLiteStorage

extension SQLiteSnapshot {
  func watermark() throws(MemoryError) -> Watermark {
    try reading { try Self.watermark(db) }
  }

  func changes(after watermark: Watermark?, limit: Int) throws(MemoryError) -> ChangeBatch {
    try reading {
      let end = try Self.watermark(db)
      guard let watermark, try isInHistory(watermark) else {
        return ChangeBatch(asked: watermark, continues: false, changes: [], end: end, isComplete: true)
      }
      var rows = try RawStatement(Self.changesAfter, db)
      try rows.bind(watermark.revision)
      try rows.bind(Int64(limit))
      var changes: [Change] = []
      var domain = RepeatedText()
      var last = watermark
      while try rows.step() {
        last = Watermark(revision: rows.integer(0), nonce: rows.integer(1))
        changes.append(
          Change(
            revision: last.revision, subject: try Self.subject(rows.text(2), of: last.revision), key: rows.text(3),
            domain: rows.isNull(4) ? nil : domain.text(rows.bytes(4)), finished: rows.integer(5) != 0,
            row: rows.isNull(6) ? nil : rows.integer(6), step: rows.isNull(7) ? nil : rows.integer(7)))
      }
      return ChangeBatch(asked: watermark, continues: true, changes: changes, end: last, isComplete: last == end)
    }
  }

  /// The last change in a database as it is seen from a transaction.
  static func watermark(_ db: Database) throws -> Watermark {
    let statement = try db.cachedStatement(sql: "SELECT revision, nonce FROM changes ORDER BY revision DESC LIMIT 1")
    let rows = try Row.fetchCursor(statement)
    guard let row = try rows.next() else { return .beginning }
    return Watermark(revision: try row.value(0), nonce: try row.value(1))
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

  /// Whether the feed still holds everything after `watermark`, and is the history that it was taken from.
  private func isInHistory(_ watermark: Watermark) throws -> Bool {
    if watermark == .beginning {
      let first = try Int64.fetchOne(db.cachedStatement(sql: "SELECT min(revision) FROM changes"))
      return first == nil || first == 1
    }
    let statement = try db.cachedStatement(sql: "SELECT nonce FROM changes WHERE revision = ?")
    return try Int64.fetchOne(statement, arguments: [watermark.revision]) == watermark.nonce
  }
}
