public import EpisodicMemory
import GRDB

extension SQLitePrimaryStore {
  public func changes(after watermark: Watermark?, limit: Int) async throws(MemoryError) -> ChangeBatch {
    try await read { db in
      let end = try Self.watermark(db)
      guard let watermark, try Self.isInHistory(watermark, db) else {
        return ChangeBatch(asked: watermark, continues: false, changes: [], end: end, isComplete: true)
      }
      let statement = try db.cachedStatement(
        sql:
          "SELECT revision, nonce, subject, key, domain, finished FROM changes WHERE revision > ? ORDER BY revision LIMIT ?"
      )
      let rows = try Row.fetchCursor(statement, arguments: [watermark.revision, limit])
      var changes: [Change] = []
      var last = watermark
      while let row = try rows.next() {
        last = Watermark(revision: try row.value(0), nonce: try row.value(1))
        let subject: String = try row.value(2)
        guard let subject = Change.Subject(rawValue: subject) else {
          throw MemoryError(
            .corrupted, "change \(last.revision) has the unknown subject \"\(subject)\"; use a newer build")
        }
        changes.append(
          Change(
            revision: last.revision, subject: subject, key: try row.value(3), domain: try row.value(4),
            finished: try row.value(5)))
      }
      return ChangeBatch(asked: watermark, continues: true, changes: changes, end: last, isComplete: last == end)
    }
  }

  /// The last change of the snapshot.
  static func watermark(_ db: Database) throws -> Watermark {
    let statement = try db.cachedStatement(sql: "SELECT revision, nonce FROM changes ORDER BY revision DESC LIMIT 1")
    let rows = try Row.fetchCursor(statement)
    guard let row = try rows.next() else { return .beginning }
    return Watermark(revision: try row.value(0), nonce: try row.value(1))
  }

  /// Whether the feed still holds everything after `watermark`, and is the history that it was taken from.
  private static func isInHistory(_ watermark: Watermark, _ db: Database) throws -> Bool {
    if watermark == .beginning {
      let first = try Int64.fetchOne(db.cachedStatement(sql: "SELECT min(revision) FROM changes"))
      return first == nil || first == 1
    }
    let statement = try db.cachedStatement(sql: "SELECT nonce FROM changes WHERE revision = ?")
    return try Int64.fetchOne(statement, arguments: [watermark.revision]) == watermark.nonce
  }

  /// Forgets changes that nobody should still have to catch up with; the newest always stays.
  static func pruneFeed(_ db: Database) throws {
    try db.execute(
      sql: "DELETE FROM changes WHERE revision <= (SELECT max(revision) FROM changes) - ?", arguments: [feedLength])
  }
}
