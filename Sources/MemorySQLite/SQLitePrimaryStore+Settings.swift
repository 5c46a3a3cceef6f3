package import EpisodicMemory
import GRDB

/// The table `settings`: what is configured in the store itself, so that every process that opens it follows it.
extension SQLitePrimaryStore {
  package func setting(_ name: String) async throws(MemoryError) -> JSON? {
    try await readRows { db in
      let statement = try db.cachedStatement(sql: Self.settingByName)
      guard let text = try String.fetchOne(statement, arguments: [name]) else { return nil }
      do {
        return try JSON(text: text)
      } catch {
        throw MemoryError(
          .corrupted, "the setting \(name) is not JSON: another program changed it; set it again", cause: error)
      }
    }
  }

  package func set(_ name: String, to value: JSON?, at now: Timestamp) async throws(MemoryError) {
    try await writeRows { db in
      guard let value else { return try db.execute(sql: "DELETE FROM settings WHERE name = ?", arguments: [name]) }
      try db.execute(
        sql: """
          INSERT INTO settings (name, value, changed_at) VALUES (?1, ?2, ?3)
          ON CONFLICT (name) DO UPDATE SET value = ?2, changed_at = ?3
          """, arguments: [name, value.canonicalText, now.milliseconds])
    }
  }

  static let settingByName = "SELECT value FROM settings WHERE name = ?"
}
