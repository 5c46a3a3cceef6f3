import Foundation
import GRDB
import TestSupport
import Testing

/// Holds the DocC page Schema to the schema that the migrations make.
@Suite struct `Schema page` {
  static let page = "Sources/Episodic/Episodic.docc/Schema.md"

  @Test func `every table and column of the schema is on the page, with its type, and no other`() async throws {
    let store = try Store()
    try await store.fill(1)
    let database = try DatabaseQueue(path: store.path + "/memory.sqlite")
    let found = try await database.read { db in
      let names = try db.namesOfTables()
      var tables: [String: [Column]] = [:]
      for name in names {
        tables[name] = try Row.fetchAll(db, sql: "SELECT name, type FROM pragma_table_info(?)", arguments: [name])
          .map { Column(name: $0["name"], type: $0["type"]) }
      }
      return tables
    }
    let listed = try Self.tables()
    #expect(Set(found.keys) == Set(listed.keys))
    for (table, columns) in found {
      let onPage = listed[table] ?? []
      #expect(onPage.map(\.name) == columns.map(\.name), "\(table)")
      for (column, shown) in zip(columns, onPage) where !shown.type.isEmpty && !column.type.isEmpty {
        #expect(column.type == shown.type, "\(table).\(column.name)")
      }
    }
  }

  @Test func `every query of the page runs on a store`() async throws {
    let store = try Store()
    try await store.fill(3)
    let queries = DocumentedProgram.blocks("sql", of: try Documentation.text(Self.page))
    #expect(queries.count >= 6)
    var configuration = Configuration()
    configuration.readonly = true
    let database = try DatabaseQueue(path: store.path + "/memory.sqlite", configuration: configuration)
    for query in queries {
      do {
        _ = try await database.read { try Row.fetchAll($0, sql: query).count }
      } catch {
        Issue.record("\(error): \(query)")
      }
    }
  }

  struct Column: Equatable {
    let name: String
    let type: String
  }

  /// The tables of the page: headings of the third level that are a name in backquotes, and the rows under them.
  private static func tables() throws -> [String: [Column]] {
    var tables: [String: [Column]] = [:]
    var table: String?
    for line in try Documentation.text(page).split(separator: "\n") {
      if line.hasPrefix("#") {
        table = line.wholeMatch(of: /### `(\w+)`/).map { String($0.1) }
      } else if let table, let row = line.wholeMatch(of: /\| `(\w+)` \| (\w*) *\| .*/) {
        tables[table, default: []].append(Column(name: String(row.1), type: String(row.2)))
      }
    }
    return tables
  }
}

extension Database {
  /// The tables and views of the schema, without those of full text and of SQLite itself.
  func namesOfTables() throws -> [String] {
    try String.fetchAll(
      self,
      sql: """
        SELECT name FROM pragma_table_list
        WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite_%'
        """)
  }
}
