import EpisodicMemory
import GRDB
import SQLiteStorage
import TestSupport
import Testing
import Vectors

@testable import MemorySQLite

/// A store of an earlier build: the migrations up to a version, and rows with that version's columns.
struct EarlierStore {
  let store: TestStore
  /// The episodes e1 to e4 of the domain `web`, two steps each; from version 2 on a vector for e1.
  static let episodes = 4

  init(version: Int, rows: Bool = true, then script: String = "") async throws {
    store = try TestStore()
    let old = try WALDatabase(
      path: store.path,
      .init(
        applicationID: Schema.applicationID, migrations: Array(Schema.migrations.prefix(version)),
        report: { doing, error in Issue.record("\(doing): \(error)") }))
    try await old.write { db in
      for number in 1...Self.episodes where rows {
        try db.execute(
          sql: """
            INSERT INTO episodes (id, task_type, domain, context, status, created_at, completed_at)
            VALUES ('e\(number)', 'testing', 'web', 'context token\(number)', 'completed', \(number), \(number));
            INSERT INTO steps (id, episode_id, step_number, action, result, timestamp) VALUES
                ('e\(number)-1', 'e\(number)', 1, 'action word\(number)', 'result', \(number)),
                ('e\(number)-2', 'e\(number)', 2, 'another', NULL, \(number));
            """)
      }
      if version >= 2, rows {
        try db.execute(
          sql: """
            INSERT INTO embeddings (id, episode_id, content, embedding, model_name, dimensions, created_at)
            VALUES ('m1', 'e1', '', x'0000803f00000000', 'm', 2, 1)
            """)
      }
      try db.execute(sql: script)
    }
    try await old.close()
  }
}

@Suite struct `A store of an earlier schema` {
  static let versions = 1..<Schema.migrations.count

  /// Damage, or a program that ignored the rules: what check reports must not keep the store from being opened.
  @Test(arguments: 1..<7) func `that holds a pattern against the rules is opened, and keeps it`(_ version: Int)
    async throws
  {
    let earlier = try await EarlierStore(version: version, rows: false)
    var configuration = Configuration()
    configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA ignore_check_constraints = ON") }
    let other = try DatabaseQueue(path: earlier.store.path, configuration: configuration)
    try await other.write { db in
      try db.execute(
        sql: """
          INSERT INTO patterns (id, pattern_type, pattern_data, data_hash, created_at)
          VALUES ('odd', 'optimization', '{bad', '\(String(repeating: "0", count: 64))', 1)
          """)
    }
    try other.close()
    try await earlier.store.use { primary in
      #expect(try await primary.statistics().patterns == 1)
      let failed = try await primary.failedChecks()
      #expect(!failed.isEmpty)
    }
    let after = try DatabaseQueue(path: earlier.store.path)
    await #expect(throws: DatabaseError.self) {
      try await after.write { db in try db.execute(sql: "UPDATE patterns SET usage_count = -1") }
    }
  }

  @Test(arguments: versions)
  func `is recalled completely by words and vectors, accepts changes, and passes every check`(
    _ version: Int
  ) async throws {
    let earlier = try await EarlierStore(version: version)
    try await earlier.store.use { primary in
      #expect(try await primary.statistics().schemaVersion == Schema.migrations.count)
      #expect(try await primary.failedChecks().isEmpty)
      for number in 1...EarlierStore.episodes {
        #expect(try await primary.rows(matching: "token\(number)").count == 1)
        #expect(try await primary.rows(matching: "word\(number)").count == 1)
      }
      #expect(try await primary.embeddings(of: "e1").count == (version >= 2 ? 1 : 0))
      // The rows that an index is built from.
      let indexed = try await primary.read { snapshot throws(MemoryError) in
        var rows: [Int64] = []
        try snapshot.steps(.after(0, limit: 100)) { (step) throws(MemoryError) in
          rows.append(step.row)
          return true
        }
        return rows
      }
      #expect(indexed.count == 2 * EarlierStore.episodes)
      // Old rows are deleted and replaced, so their words are removed from the full-text index.
      #expect(try await primary.delete("e1" as Episode.ID))
      let episodes = (2...EarlierStore.episodes).map { number in
        Episode.sample(Episode.ID("e\(number)"), domain: "web", context: "replaced", steps: ["again"])
      }
      #expect(try await primary.insert(episodes, embeddings: [], existing: .replace).episodes == episodes.count)
      _ = try await primary.apply(.reopen, to: "e2", at: Timestamp(milliseconds: 9))
      _ = try await primary.append([Step.Draft("appended")], to: "e2", at: Timestamp(milliseconds: 9))
      #expect(try await primary.rows(matching: "word2").isEmpty)
      #expect(try await primary.rows(matching: "appended").count == 1)
      #expect(try await primary.failedChecks().isEmpty)
    }
  }

  /// A cache that followed the earlier feed holds query results without these rows.
  @Test(arguments: versions) func `announces to caches the domains whose rows were not indexed`(_ version: Int)
    async throws
  {
    // Migrated by a build of version 5, with rows from before 003.
    let earlier = try await EarlierStore(version: min(version, 2))
    let middle = try WALDatabase(
      path: earlier.store.path,
      .init(
        applicationID: Schema.applicationID, migrations: Array(Schema.migrations.prefix(5)),
        report: { doing, error in Issue.record("\(doing): \(error)") }))
    try await middle.write { db in
      try db.execute(
        sql: "INSERT INTO episodes (id, task_type, domain, context, created_at) VALUES ('new', 't', 'web', 'x', 9)")
    }
    let before = try await middle.read { db in try ChangeFeed.watermark(db) }
    try await middle.close()
    try await earlier.store.use { primary in
      let batch = try await primary.changes(after: before, limit: 100)
      // Of 006, and of 010, which finds more words in every row.
      #expect(batch.changes.map(\.domain) == ["web", "web"])
    }
  }

  @Test func `whose rows were all indexed gets a change for the words that are now found`() async throws {
    let earlier = try await EarlierStore(version: 5)
    let revision = try await earlier.store.use { try await $0.statistics().watermark.revision }
    // Four episodes, their eight steps, a vector and the update of its episode; and the domain.
    #expect(revision == 15)
  }

  /// From 006 on a deleted episode leaves none.
  @Test(arguments: 1..<6) func `that holds orphans sets all of them aside and shows them in no domain`(
    _ version: Int
  ) async throws {
    let earlier = try await EarlierStore(version: version, rows: version >= 3)
    if version < 3 {
      // Before 003 a delete maintains no full-text index.
      try earlier.store.otherProgram.run(
        """
        INSERT INTO steps (id, episode_id, step_number, action, timestamp) VALUES
            ('e1-1', 'e1', 1, 'action word1', 1), ('e1-2', 'e1', 2, 'another', 1)
        """)
    } else {
      try earlier.store.otherProgram.run("DELETE FROM episodes WHERE id = 'e1'")
    }
    try await earlier.store.use { primary in
      #expect(try await primary.failedChecks().isEmpty)
      #expect(try await primary.rows(matching: "word1").isEmpty)
      try await primary.insert(.sample("e1", domain: "elsewhere"))
      #expect(try await primary.episode("e1", steps: .all).value?.steps.isEmpty == true)
      #expect(try await primary.failedChecks().isEmpty)
    }
    let kept = try earlier.store.otherProgram.strings(
      "SELECT content ->> 'action' FROM orphans_kept WHERE source = 'steps' ORDER BY 1")
    // From 006 on a delete takes the steps along.
    #expect(kept == (version < 6 ? ["action word1", "another"] : []))
  }
}

extension SQLitePrimaryStore {
  /// Rows of the full-text indexes that match a word.
  func rows(matching word: String) async throws -> [Int64] {
    try await writeRows { db in
      try Int64.fetchAll(
        db,
        sql: """
          SELECT rowid FROM episodes_text WHERE episodes_text MATCH ?1
          UNION ALL SELECT rowid FROM steps_text WHERE steps_text MATCH ?1
          """, arguments: [word])
    }
  }
}
