import GRDB
import Testing

@testable import SQLiteStorage

@Suite struct `A migrator` {
  private static let sql = [
    "CREATE TABLE a (x INTEGER) STRICT;", "CREATE TABLE b (y TEXT) STRICT; CREATE INDEX b_by_y ON b (y);",
  ]

  private static func migrator() throws -> Migrator {
    let migrations = try ["001_a", "002_b"].enumerated().map { index, name in
      try #require(Migration(name: name, sql: Array(sql[index].utf8)))
    }
    return Migrator(migrations: migrations, path: "db")
  }

  private static func tables(_ db: Database) throws -> [String] {
    try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
  }

  /// Making the table and the first migration are two transactions.
  @Test(arguments: [0, 1, 2]) func `continues after a process was killed`(_ applied: Int) throws {
    let migrator = try Self.migrator()
    try DatabaseQueue().writeWithoutTransaction { db in
      try Migrator.makeTable(db)
      try Migrator(migrations: Array(migrator.migrations.prefix(applied)), path: "db").migrate(db)
      #expect(try migrator.migrate(db).isEmpty)
      #expect(try Self.tables(db) == ["a", "b", "schema_version"])
      #expect(try AppliedMigrations(db).version == 2)
    }
  }

  @Test func `accepts a schema by its digest alone if that is the digest of the migrations`() throws {
    var migrator = try Self.migrator()
    migrator.digest = try SchemaObjects(madeBy: migrator.migrations).digest
    try DatabaseQueue().writeWithoutTransaction { db in
      try migrator.migrate(db)
      #expect(try SchemaObjects(db).digest == migrator.digest)
      try db.execute(sql: "DROP INDEX b_by_y")
      #expect(try SchemaObjects(db).digest != migrator.digest)
      #expect(try migrator.migrate(db).isEmpty)
      #expect(try SchemaObjects(db).digest == migrator.digest)
    }
  }

  @Test(arguments: [
    "CREATE TABLE a(x INTEGER) STRICT", "CREATE TABLE a (x INTEGER /* a number */) STRICT",
    "CREATE TABLE a (x INTEGER) STRICT -- numbers",
  ]) func `takes a schema for the same whatever its white space and its comments are`(_ sql: String) throws {
    let migrator = try Self.migrator()
    try DatabaseQueue().writeWithoutTransaction { db in
      try migrator.migrate(db)
      try db.execute(sql: "DROP TABLE a; " + sql)
      guard case .newest(let problems, _) = try migrator.inspect(db) else {
        Issue.record("not the newest")
        return
      }
      #expect(problems.isEmpty)
    }
  }

  @Test func `names what differs in a string, though it looks like a comment`() throws {
    let migrator = try Self.migrator()
    try DatabaseQueue().writeWithoutTransaction { db in
      try migrator.migrate(db)
      try db.execute(sql: "DROP TABLE a; CREATE TABLE a (x INTEGER CHECK (x <> '--')) STRICT")
      guard case .newest(let problems, _) = try migrator.inspect(db) else {
        Issue.record("not the newest")
        return
      }
      #expect(problems.first?.contains("table a") == true)
    }
  }
}
