import EpisodicMemory
import TestSupport
import Testing

@testable import MemorySQLite

/// I8: rows of an episode of one domain are never shown under an episode of another.
@Suite struct `A row that belongs to an episode` {
  static let episode = "episodes (id, task_type, domain, context, created_at) VALUES"
  static let numberedEpisode = "episodes (seq, id, task_type, domain, context, created_at) VALUES"
  static let step = "steps (id, episode_id, step_number, action, timestamp) VALUES"
  static let vector =
    "embeddings (id, episode_id, step_id, content, embedding, model_name, dimensions, created_at) VALUES"

  private static let left = [
    "SELECT 'step ' || id FROM steps", "SELECT 'vector ' || id FROM embeddings",
    "SELECT 'link ' || pattern_id FROM episode_patterns",
  ].joined(separator: " UNION ALL ")

  /// The remaining rows of `a` (steps a/1 and a/2, vectors ma and ms, a link to p) and `b` (step b/1, vector mb).
  static let scripts: [(sql: String, left: Set<String>)] = [
    ("DELETE FROM episodes WHERE id = 'a'", ["step b/1", "vector mb"]),
    ("DELETE FROM episodes", []),
    ("DELETE FROM steps WHERE id = 'a/1'", ["step a/2", "step b/1", "vector ma", "vector mb", "link p"]),
    ("DELETE FROM patterns", ["step a/1", "step a/2", "step b/1", "vector ma", "vector ms", "vector mb"]),
    ("INSERT OR REPLACE INTO \(episode) ('a', 't', 'public', 'x', 1)", ["step b/1", "vector mb"]),
    ("INSERT OR REPLACE INTO \(numberedEpisode) (1, 'a', 't', 'public', 'x', 1)", ["step b/1", "vector mb"]),
    ("INSERT OR REPLACE INTO \(numberedEpisode) (1, 'z', 't', 'public', 'x', 1)", ["step b/1", "vector mb"]),
    (
      "INSERT OR REPLACE INTO \(step) ('new', 'a', 1, 'x', 1)",
      ["step new", "step a/2", "step b/1", "vector ma", "vector mb", "link p"]
    ),
    (
      "INSERT OR REPLACE INTO \(step) ('a/1', 'b', 9, 'x', 1)",
      ["step a/1", "step a/2", "step b/1", "vector ma", "vector mb", "link p"]
    ),
    (
      """
      INSERT OR REPLACE INTO patterns (id, pattern_type, pattern_data, data_hash, created_at)
      VALUES ('p', 'other', '1', '\(JSON.integer(1).canonicalHash)', 1)
      """, ["step a/1", "step a/2", "step b/1", "vector ma", "vector ms", "vector mb"]
    ),
    (
      """
      INSERT OR REPLACE INTO patterns (id, pattern_type, pattern_data, data_hash, created_at)
      VALUES ('q', 'error_resolution', '\(TestStore.patternData.canonicalText)', '\(TestStore.patternData.canonicalHash)', 1)
      """, ["step a/1", "step a/2", "step b/1", "vector ma", "vector ms", "vector mb"]
    ),
  ]

  @Test(arguments: scripts, [(false, false), (false, true), (true, false), (true, true)])
  func `is deleted with it by any program with any settings`(
    _ script: (sql: String, left: Set<String>), _ settings: (foreignKeys: Bool, recursiveTriggers: Bool)
  ) async throws {
    let store = try TestStore()
    try await store.fill()
    let program = OtherProgram(path: store.path, foreignKeys: settings.foreignKeys)
    try program.run("PRAGMA recursive_triggers = \(settings.recursiveTriggers ? "ON" : "OFF"); \(script.sql)")
    #expect(try Set(program.strings(Self.left)) == script.left, "\(script.sql)")
    let findings = try await store.use { primary in try await primary.failedChecks() }
    #expect(findings.isEmpty, "\(script.sql)")
  }

  static let harmless = [
    "INSERT OR IGNORE INTO \(episode) ('a', 't', 'public', 'x', 1)",
    "INSERT INTO \(episode) ('a', 't', 'public', 'x', 1) ON CONFLICT (id) DO UPDATE SET context = 'y'",
    "INSERT OR IGNORE INTO \(step) ('a/1', 'b', 9, 'x', 1)",
    "INSERT INTO \(step) ('a/1', 'a', 1, 'x', 1) ON CONFLICT (id) DO UPDATE SET action = 'y'",
  ]

  @Test(arguments: harmless) func `stays if an insert is ignored or becomes an update`(_ sql: String) async throws {
    let store = try TestStore()
    try await store.fill()
    try store.otherProgram.run(sql)
    #expect(
      try Set(store.otherProgram.strings(Self.left)) == [
        "step a/1", "step a/2", "step b/1", "vector ma", "vector ms", "vector mb", "link p",
      ])
    let findings = try await store.use { primary in try await primary.failedChecks() }
    #expect(findings.isEmpty)
  }

  static let refused: [(sql: String, reason: String)] = [
    ("INSERT INTO \(step) ('s', 'nobody', 1, 'x', 1)", "insert the episode first"),
    ("INSERT OR REPLACE INTO \(step) ('s', 'nobody', 1, 'x', 1)", "insert the episode first"),
    ("INSERT INTO \(vector) ('m', 'nobody', NULL, '', x'0000803f', 'n', 1, 1)", "insert the episode first"),
    ("INSERT INTO \(vector) ('m', 'b', 'a/1', '', x'0000803f', 'n', 1, 1)", "no step of this id"),
    ("UPDATE embeddings SET step_id = 'b/1' WHERE id = 'ms'", "no step of this id"),
    ("INSERT INTO episode_patterns VALUES ('b', 'nobody')", "insert both first"),
    ("UPDATE episode_patterns SET episode_id = 'nobody'", "insert both first"),
  ]

  @Test(arguments: refused) func `is refused before its episode exists and under another episode, from any program`(
    _ case: (sql: String, reason: String)
  ) async throws {
    let store = try TestStore()
    try await store.fill()
    let error = #expect(throws: (any Error).self) { try store.otherProgram.run(`case`.sql) }
    #expect(error.map { "\($0)".contains(`case`.reason) } == true, "\(String(describing: error))")
  }

  @Test func `of a deleted episode is never found under a new one with its id`() async throws {
    let store = try TestStore()
    try await store.fill()
    try store.otherProgram.run("DELETE FROM episodes WHERE id = 'a'")
    try await store.use { primary in
      try await primary.insert(.sample("a", domain: "public", steps: ["antelope"]))
      let steps = try await primary.episode("a", steps: .all).value?.steps.map(\.action)
      #expect(steps == ["antelope"])
      #expect(try await primary.embeddings(of: "a").isEmpty)
      #expect(try await primary.patterns(of: "a").isEmpty)
    }
  }

  /// The orphans are created while triggers are disabled.
  @Test func `without its episode is named by check, shown by no verb, and set aside by rebuild`() async throws {
    let store = try TestStore()
    try await store.fill()
    try store.otherProgram.run("\(dropTriggers(of: "episodes", at: store)); DELETE FROM episodes WHERE id = 'a'")
    try restoreSchema(of: store)
    try await store.use { primary in
      guard case .failed(let reason) = try await primary.failedChecks()["rows without an owner"] else {
        Issue.record("no finding")
        return
      }
      #expect(reason.contains("2 steps") && reason.contains("2 embeddings") && reason.contains("\"a\""), "\(reason)")
      try await primary.rebuildTextIndexes(acceptingTexts: false)
      #expect(try await primary.failedChecks().isEmpty)
    }
    #expect(try store.otherProgram.strings("SELECT source FROM orphans_kept ORDER BY 1").count == 5)
    #expect(
      try store.otherProgram.strings("SELECT content ->> 'action' FROM orphans_kept WHERE source = 'steps'")
        == ["zebra", "giraffe"])
  }

  @Test func `in one domain is not taken over by an import into another`() async throws {
    let store = try TestStore()
    try await store.fill()
    try await store.use { primary in
      let error = await failure {
        try await primary.insert([.sample("a", domain: "public")], embeddings: [], existing: .replace)
      }
      #expect(error?.code == .conflict && error?.message.contains("\"a\"") == true)
      #expect(error?.message.contains("private") == false, "\(error?.message ?? "")")
      #expect(try await primary.episode("a", steps: .all).value?.domain == "private")
      let replaced = try await primary.insert([.sample("a", domain: "private")], embeddings: [], existing: .replace)
      #expect(replaced.episodes == 1)
    }
  }

  private func dropTriggers(of table: String, at store: TestStore) throws -> String {
    try store.otherProgram.strings("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '\(table)'")
      .map { "DROP TRIGGER \($0)" }.joined(separator: "; ")
  }

  /// Recreates the missing triggers.
  private func restoreSchema(of store: TestStore) throws {
    let pristine = try WholeSchema.triggers()
    let present = try Set(store.otherProgram.strings("SELECT name FROM sqlite_schema WHERE type = 'trigger'"))
    for (name, sql) in pristine where !present.contains(name) { try store.otherProgram.run(sql) }
  }
}
