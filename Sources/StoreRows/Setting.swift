package import StoreValues
package import GRDB

/// A row of the table `settings`.
package enum Setting {
  package static func value(_ name: String, _ db: Database) throws -> JSON? {
    let statement = try db.cachedStatement(sql: byName)
    guard let text = try String.fetchOne(statement, arguments: [name]) else { return nil }
    do {
      return try JSON(text: text)
    } catch {
      throw MemoryError(
        .corrupted, "the setting \(name) is not JSON: another program changed it; set it again", cause: error)
    }
  }

  package static func set(_ name: String, to value: JSON?, at now: Timestamp, _ db: Database) throws {
    guard let value else { return try db.execute(sql: "DELETE FROM settings WHERE name = ?", arguments: [name]) }
    try db.execute(
      sql: """
        INSERT INTO settings (name, value, changed_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (name) DO UPDATE SET value = ?2, changed_at = ?3
        """, arguments: [name, value.canonicalText, now.milliseconds])
  }

  package static let byName = "SELECT value FROM settings WHERE name = ?"
}
