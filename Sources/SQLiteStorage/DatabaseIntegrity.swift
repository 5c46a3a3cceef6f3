package import GRDB

/// What SQLite itself can say of a database of any schema.
package enum DatabaseIntegrity {
  /// What is wrong with pages and indexes; empty if nothing is. A rule of a table that a row breaks is no such thing.
  package static func problems(_ db: Database) throws -> [String] {
    do {
      let problems = try String.fetchAll(db, sql: "PRAGMA integrity_check(5)")
      return problems.filter { $0 != "ok" && !$0.hasPrefix("CHECK constraint failed") }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB {
      return [error.message ?? "SQLite found a malformed page"]
    }
  }

  /// Rows that name an owner which is not there, in words; `nil` if there are none.
  package static func strays(_ db: Database) throws -> String? {
    let rows = try Row.fetchAll(
      db, sql: "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1 ORDER BY 1")
    guard !rows.isEmpty else { return nil }
    return rows.map { row in "\(row[1] as Int) rows of \(row[0] as String) name an owner that is not there" }
      .joined(separator: ", ")
  }

  /// What a check would find beside damage in a file that nobody else has open, in words.
  ///
  /// - Parameter strays: Of a connection that read it.
  /// - Parameter goOn: Called meanwhile; an error that it throws ends it.
  static func faults(
    of path: String, _ strays: String?, _ goOn: @escaping () throws -> Void
  ) throws -> [String] {
    let texts = try differingTexts(of: path, goOn).map { "the full text \($0) differs from its table" }
    return (strays.map { [$0] } ?? []) + texts
  }

  /// As `differingTexts(_:)`, of a file that nobody else has open.
  package static func differingTexts(
    of path: String, _ goOn: @escaping () throws -> Void = {}
  ) throws -> [String] {
    let connection = try DatabaseQueue(path: path, configuration: Connector.configuration())
    var names: [String] = []
    try connection.writeWithoutTransaction { db in
      // In memory, and rolled back: the comparison changes no page.
      try db.execute(sql: "PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE")
      try db.inTransaction(.deferred) {
        names = try db.interruptible(by: goOn) { try differingTexts(db) }
        return .rollback
      }
    }
    try connection.close()
    return names
  }

  /// The full-text tables that differ from what they index, or are damaged, by name.
  ///
  /// SQLite counts the comparison as a write, although it changes nothing: `db` must be able to write.
  package static func differingTexts(_ db: Database) throws -> [String] {
    let tables = try String.fetchAll(
      db,
      sql: """
        SELECT name FROM sqlite_schema
        WHERE type = 'table' AND lower(sql) LIKE 'create virtual table%using fts5%' ORDER BY name
        """)
    return try tables.filter { table in
      let name = table.quotedDatabaseIdentifier
      do {
        try db.execute(sql: "INSERT INTO \(name) (\(name), rank) VALUES ('integrity-check', 1)")
        return false
      } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
        return true
      }
    }
  }
}
