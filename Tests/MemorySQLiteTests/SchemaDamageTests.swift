import EpisodicMemory
import Foundation
import GRDB
import TestSupport
import Testing

@testable import MemorySQLite
@testable import SQLiteStorage

/// A change of the schema by another program.
struct SchemaDamage: CustomTestStringConvertible, Sendable {
  let what: String
  let script: String
  /// A part of the error's message.
  let named: String
  /// Whether the rows can still be read.
  var isReadable = true

  var testDescription: String { what }

  static let rebuilt = "CREATE TABLE sv AS SELECT * FROM schema_version; DROP TABLE schema_version; "

  static let all: [SchemaDamage] = [
    SchemaDamage(
      what: "a trigger that eats steps",
      script: "CREATE TRIGGER x AFTER INSERT ON steps BEGIN DELETE FROM steps WHERE seq = NEW.seq; END",
      named: "trigger x on steps"),
    SchemaDamage(
      what: "a trigger that moves episodes to another domain",
      script: "CREATE TRIGGER x AFTER INSERT ON episodes BEGIN UPDATE episodes SET domain = 'evil'; END",
      named: "trigger x on episodes"),
    SchemaDamage(
      what: "a trigger on the feed", script: "CREATE TRIGGER x AFTER INSERT ON changes BEGIN DELETE FROM changes; END",
      named: "trigger x on changes"),
    SchemaDamage(
      what: "the triggers of the feed dropped",
      script: "DROP TRIGGER episodes_changes_insert; DROP TRIGGER steps_changes_insert",
      named: "trigger episodes_changes_insert on episodes"),
    SchemaDamage(
      what: "a full-text trigger dropped", script: "DROP TRIGGER steps_text_insert",
      named: "trigger steps_text_insert on steps"),
    SchemaDamage(
      what: "a trigger changed",
      script: """
        DROP TRIGGER steps_text_delete;
        CREATE TRIGGER steps_text_delete AFTER DELETE ON steps BEGIN SELECT 1; END
        """, named: "trigger steps_text_delete on steps"),
    SchemaDamage(
      what: "a unique index of its own", script: "CREATE UNIQUE INDEX x ON steps (timestamp, action)",
      named: "index x on steps"),
    SchemaDamage(what: "a further column", script: "ALTER TABLE episodes ADD COLUMN zzz TEXT", named: "table episodes"),
    SchemaDamage(
      what: "a column renamed", script: "ALTER TABLE episodes RENAME COLUMN context TO contexts",
      named: "table episodes", isReadable: false),
    SchemaDamage(
      what: "a table renamed", script: "ALTER TABLE steps RENAME TO steps2", named: "table steps", isReadable: false),
    SchemaDamage(
      what: "a full-text table dropped", script: "DROP TABLE steps_text", named: "table steps_text"),
    SchemaDamage(
      what: "schema_version without a checksum",
      script: rebuilt + """
        CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at, description, checksum);
        INSERT INTO schema_version SELECT version, applied_at, description, NULL FROM sv
        """, named: "schema_version has no checksum for version 1"),
    SchemaDamage(
      what: "schema_version with text and NULL as versions",
      script: rebuilt + """
        CREATE TABLE schema_version (version, applied_at, description, checksum);
        INSERT INTO schema_version VALUES ('one', 1, 'x', 'y'), (NULL, 1, 'z', 'w')
        """, named: "schema_version has a version that is no number"),
    SchemaDamage(
      what: "schema_version with a blob as version",
      script: rebuilt + """
        CREATE TABLE schema_version (version, applied_at, description, checksum);
        INSERT INTO schema_version VALUES (x'01', 1, 'x', 'y')
        """, named: "schema_version has a version that is no number"),
    SchemaDamage(
      what: "schema_version with every version twice",
      script: rebuilt + """
        CREATE TABLE schema_version (version, applied_at, description, checksum);
        INSERT INTO schema_version SELECT * FROM sv; INSERT INTO schema_version SELECT * FROM sv
        """, named: "schema_version has version 1 twice"),
    SchemaDamage(
      what: "schema_version with a gap", script: "DELETE FROM schema_version WHERE version = 3",
      named: "schema_version goes from version 2 to 4"),
    SchemaDamage(
      what: "schema_version without its last row",
      script: "DELETE FROM schema_version WHERE version = (SELECT max(version) FROM schema_version)",
      named: "schema_version ends at version"),
    SchemaDamage(
      what: "schema_version emptied", script: "DELETE FROM schema_version",
      named: "schema_version ends at version 0"),
    SchemaDamage(
      what: "schema_version dropped", script: "DROP TABLE schema_version", named: "schema_version cannot be read"),
    SchemaDamage(
      what: "schema_version without its columns",
      script: "DROP TABLE schema_version; CREATE TABLE schema_version (x); INSERT INTO schema_version VALUES (1)",
      named: "schema_version cannot be read"),
    SchemaDamage(
      what: "the revisions used up", script: "UPDATE sqlite_sequence SET seq = 9223372036854775807",
      named: "sqlite_sequence of changes"),
  ]

  /// Changes that affect neither results nor writes.
  static let harmless: [SchemaDamage] = [
    ("ANALYZE", "ANALYZE"), ("a table of its own", "CREATE TABLE notes (x)"),
    ("a view of its own", "CREATE VIEW recent AS SELECT * FROM episodes ORDER BY created_at DESC"),
    ("an index of its own", "CREATE INDEX x ON episodes (completed_at)"),
    (
      "a trigger on a table of its own",
      "CREATE TABLE n (x); CREATE TRIGGER t AFTER INSERT ON n BEGIN DELETE FROM n; END"
    ),
    ("user_version", "PRAGMA user_version = 77"), ("journal_mode delete", "PRAGMA journal_mode = DELETE"),
    ("pages of 64 KiB", "PRAGMA journal_mode = DELETE; PRAGMA page_size = 65536; VACUUM"),
    ("auto_vacuum", "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = 1; VACUUM"),
    (
      "a row in the last place",
      """
      INSERT INTO episodes (seq, id, task_type, domain, context, status, created_at)
      VALUES (9223372036854775807, 'last', 't', 'web', 'x', 'completed', 1)
      """
    ),
    (
      "a trigger written otherwise",
      """
      DROP TRIGGER patterns_take_along_delete;
      CREATE TRIGGER patterns_take_along_delete AFTER DELETE ON patterns -- as before
      BEGIN
        DELETE FROM episode_patterns   WHERE pattern_id=OLD.id;
      END
      """
    ),
  ].map { SchemaDamage(what: $0.0, script: $0.1, named: "") }
}

@Suite struct `A schema that another program changed` {
  @Test(arguments: SchemaDamage.all) func `refuses writes, is named by the error and by check, and can be exported`(
    _ damage: SchemaDamage
  ) async throws {
    let store = try TestStore()
    try await store.fill()
    try store.otherProgram.run(damage.script)
    var refused: MemoryError?
    do {
      try await store.use { primary in
        refused = await failure { try await primary.insert(.sample("new")) }
        let append = await failure {
          try await primary.append([Step.Draft("x")], to: "a", at: Timestamp(milliseconds: 1))
        }
        #expect(append?.code == .corrupted)
        let reasons = try await primary.check().compactMap { check in
          if case .damaged(let reason) = check.outcome { reason } else { nil }
        }
        #expect(reasons.contains { $0.contains(damage.named) }, "\(reasons)")
        if damage.isReadable {
          let page = try await primary.episodes(.init(), in: .everything, after: nil, limit: 10, steps: .all)
          #expect(page.elements.map(\.steps.count).sorted() == [1, 2])
        }
      }
    } catch let error as MemoryError where !damage.isReadable {
      refused = refused ?? error
    }
    let error = try #require(refused)
    #expect(error.code == .corrupted && error.message.contains(damage.named), "\(error)")
    #expect(!error.message.contains("\n"))
  }

  @Test(arguments: SchemaDamage.harmless) func `without effect on its rows keeps working`(
    _ change: SchemaDamage
  ) async throws {
    let store = try TestStore()
    try await store.fill()
    try store.otherProgram.run(change.script)
    try await store.use { primary in
      try await primary.insert(.sample("new", status: .active))
      _ = try await primary.append([Step.Draft("x")], to: "new", at: Timestamp(milliseconds: 1))
      #expect(try await primary.failedChecks().isEmpty)
    }
  }

  @Test(arguments: [
    "DROP INDEX embeddings_by_space",
    "DROP INDEX episodes_by_domain; CREATE INDEX episodes_by_domain ON episodes (status)",
  ])
  func `where an index was dropped or replaced has it again after the next opening`(_ script: String) async throws {
    let store = try TestStore()
    try await store.fill()
    try store.otherProgram.run(script)
    try await store.use { primary in
      #expect(try await primary.failedChecks().isEmpty)
      let spaces = try await primary.read { snapshot throws(MemoryError) in
        try snapshot.spaces()
      }
      #expect(spaces.count == 1)
    }
  }

  @Test func `while the store is open is named by check, and rebuild recreates a dropped index`() async throws {
    let store = try TestStore()
    try await store.fill()
    try await store.use { primary in
      try store.otherProgram.run("DROP INDEX episodes_by_domain")
      guard case .failed(let reason) = try await primary.failedChecks()["schema"] else {
        Issue.record("no finding")
        return
      }
      #expect(reason.contains("episodes_by_domain"))
      try await primary.rebuildTextIndexes(acceptingTexts: false)
      #expect(try await primary.failedChecks().isEmpty)
      try store.otherProgram.run("DROP TRIGGER steps_changes_insert")
      guard case .damaged(let reason) = try await primary.failedChecks()["schema"] else {
        Issue.record("no finding")
        return
      }
      #expect(reason.contains("steps_changes_insert"))
      let refused = await failure { try await primary.insert(.sample("new")) }
      #expect(refused?.code == .corrupted)
    }
  }

  @Test func `is distinguished from a feed that lost its newest changes, which rebuild repairs`() async throws {
    let store = try TestStore()
    try await store.fill()
    try store.otherProgram.run("DELETE FROM changes")
    try await store.use { primary in
      guard case .failed = try await primary.failedChecks()["change feed"] else {
        Issue.record("no finding")
        return
      }
      try await primary.rebuildTextIndexes(acceptingTexts: false)
      #expect(try await primary.failedChecks().isEmpty)
    }
  }

  @Test func `in a store of an earlier schema is not migrated`() async throws {
    let earlier = try await EarlierStore(version: 4, then: "DROP TRIGGER steps_changes_insert")
    let error = await failure { try await earlier.store.open() }
    #expect(
      error?.code == .corrupted && error?.message.contains("steps_changes_insert") == true,
      "\(String(describing: error))")
    #expect(try earlier.store.otherProgram.strings("SELECT max(version) FROM schema_version") == ["4"])
  }

  @Test func `has a digest that excludes the tables of ANALYZE`() throws {
    let database = try DatabaseQueue()
    try database.writeWithoutTransaction { db in
      try Migrator.makeTable(db)
      for migration in Schema.migrations { try migration.run(db) }
      try db.execute(
        sql: "INSERT INTO episodes (id, task_type, domain, context, created_at) VALUES ('a', 't', 'd', 'x', 1); ANALYZE"
      )
      #expect(try SchemaObjects(db).digest == Schema.digest)
    }
  }
}
