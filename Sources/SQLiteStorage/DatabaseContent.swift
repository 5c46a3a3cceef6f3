package import GRDB

/// What tells whether two files hold the same database: its marks, its size, and the rows of each table.
package struct DatabaseContent: Hashable, Sendable {
  package let applicationID: Int32
  package let pageSize: Int
  package let pages: Int
  /// Of the newest migration; 0 without any.
  package let schemaVersion: Int
  /// Rows by table, without virtual tables and those that SQLite keeps for them.
  package let rows: [String: Int]

  package var bytes: Int64 { Int64(pages) &* Int64(pageSize) }

  /// Bytes of the database as a file without a log.
  package static func bytes(_ db: Database) throws -> Int64 {
    try Int64.fetchOne(db, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size") ?? 0
  }

  /// Cost: reads an index of each table once.
  package init(_ db: Database) throws {
    applicationID = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    pageSize = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
    pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
    let tables = try String.fetchAll(
      db,
      sql: """
        SELECT name FROM pragma_table_list
        WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name
        """)
    var rows: [String: Int] = [:]
    for table in tables {
      rows[table] = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table.quotedDatabaseIdentifier)") ?? 0
    }
    self.rows = rows
    schemaVersion =
      tables.contains("schema_version")
      ? try Int.fetchOne(db, sql: "SELECT max(version) FROM schema_version WHERE typeof(version) = 'integer'") ?? 0 : 0
  }

  /// The first thing in which this differs, in words; `nil` if nothing does.
  package func difference(from expected: DatabaseContent) -> String? {
    if applicationID != expected.applicationID {
      return "its application id is \(applicationID), not \(expected.applicationID)"
    }
    if bytes != expected.bytes { return "it has \(bytes) bytes, not \(expected.bytes)" }
    if schemaVersion != expected.schemaVersion {
      return "its schema version is \(schemaVersion), not \(expected.schemaVersion)"
    }
    return Self.difference(of: rows, from: expected.rows)
  }

  /// The first table whose number of rows differs, in words.
  package static func difference(of rows: [String: Int], from expected: [String: Int]) -> String? {
    for table in Set(rows.keys).union(expected.keys).sorted() where rows[table] != expected[table] {
      return "the table \(table) has \(rows[table] ?? 0) rows, not \(expected[table] ?? 0)"
    }
    return nil
  }
}
