import EpisodicMemory
import GRDB
import Logging
import SQLiteStorage
import TestSupport
import Testing

@testable import MemorySQLite

/// A store with two episodes, their steps and vectors, and a plain connection to it outside the engine.
///
/// Episode 1 "a" has steps 1 and 2, vectors 1 (its own) and 2 (of step 1); episode 2 "b" has step 3 and vector 3.
private struct Shell {
  let directory: TemporaryDirectory
  let primary: SQLitePrimaryStore

  init() async throws {
    directory = try TemporaryDirectory()
    primary = try await SQLitePrimaryStore(path: directory.file("memory.sqlite"), logger: Logger(label: "test"))
    _ = try await primary.insert(
      [.sample("a", steps: ["alpha", "beta"]), .sample("b", steps: ["gamma"])],
      embeddings: [
        .sample("ma", of: "a"), .sample("ms", of: "a", step: "a/1"), .sample("mb", of: "b"),
      ], existing: .fail)
  }

  /// The feed's rows after a script in the `sqlite3` shell: `episode row`, `episode row/step`, `embedding row`.
  func run(_ script: String, foreignKeys: Bool) async throws -> Set<String> {
    let before = try await primary.read { snapshot throws(MemoryError) in try snapshot.watermark() }
    var configuration = Configuration()
    configuration.foreignKeysEnabled = foreignKeys
    let shell = try DatabaseQueue(path: directory.file("memory.sqlite"), configuration: configuration)
    try await shell.write { db in try db.execute(sql: script) }
    try shell.close()
    let changes = try await primary.changes(after: before, limit: 1000).changes
    return Set(
      changes.map { change in
        let row = change.row.map(String.init) ?? "?"
        return "\(change.subject) \(row)" + (change.step.map { "/\($0)" } ?? "")
      })
  }
}

extension Embedding {
  static func sample(_ id: ID, of episode: Episode.ID, step: Step.ID? = nil, _ vector: [Float] = [1, 0]) -> Embedding {
    Embedding(
      id: id, episodeID: episode, stepID: step, content: "", vector: vector, model: "m",
      createdAt: Timestamp(milliseconds: 1))
  }
}

@Suite struct `Row numbers in the change feed` {
  static let episode = "episodes (id, task_type, domain, context, created_at) VALUES"
  static let step = "steps (id, episode_id, step_number, action, timestamp) VALUES"
  static let vector =
    "embeddings (id, episode_id, content, embedding, model_name, dimensions, created_at) VALUES"

  static let scripts: [(sql: String, changes: Set<String>)] = [
    ("INSERT INTO \(episode) ('c', 't', 'd', 'x', 1)", ["episode 3"]),
    ("UPDATE episodes SET context = 'x' WHERE id = 'a'", ["episode 1"]),
    ("UPDATE episodes SET domain = 'elsewhere' WHERE id = 'b'", ["episode 2"]),
    ("UPDATE episodes SET status = 'archived'", ["episode 1", "episode 2"]),
    ("DELETE FROM episodes WHERE id = 'a'", ["episode 1/0", "embedding 1", "embedding 2"]),
    ("DELETE FROM episodes", ["episode 1/0", "episode 2/0", "embedding 1", "embedding 2", "embedding 3"]),
    (
      "INSERT OR REPLACE INTO \(episode) ('a', 't', 'd', 'x', 1)",
      ["episode 1/0", "episode 3", "embedding 1", "embedding 2"]
    ),
    ("INSERT OR IGNORE INTO \(episode) ('new', 't', 'd', 'x', 1)", ["episode 3"]),
    ("INSERT INTO \(step) ('b/2', 'b', 2, 'delta', 1)", ["episode 2/4"]),
    ("UPDATE steps SET action = 'delta' WHERE id = 'a/2'", ["episode 1/2"]),
    ("UPDATE steps SET success = 0 WHERE id = 'a/2'", ["episode 1/2"]),
    ("UPDATE steps SET step_number = 9 WHERE id = 'b/1'", ["episode 2/3"]),
    ("DELETE FROM steps WHERE id = 'a/2'", ["episode 1/2"]),
    // Step 4 takes the number of step 2 and the id of step 3.
    ("INSERT OR REPLACE INTO \(step) ('b/1', 'a', 2, 'delta', 1)", ["episode 1/2", "episode 2/3", "episode 1/4"]),
    ("INSERT INTO \(vector) ('n', 'b', '', x'0000803f', 'n', 1, 1)", ["embedding 4", "episode 2"]),
    ("UPDATE embeddings SET embedding = x'0000803f00000040' WHERE id = 'mb'", ["embedding 3", "episode 2"]),
    (
      "UPDATE embeddings SET model_name = 'other'",
      ["embedding 1", "embedding 2", "embedding 3", "episode 1", "episode 2"]
    ),
    ("DELETE FROM embeddings WHERE id = 'ms'", ["embedding 2", "episode 1"]),
    // Vector 3 moves from episode 2 to episode 1.
    (
      "INSERT OR REPLACE INTO embeddings (seq, \(vector.dropFirst("embeddings (".count)) (3, 'n', 'a', '', x'0000803f', 'n', 1, 1)",
      ["embedding 3", "episode 1", "episode 2"]
    ),
    (
      "INSERT OR REPLACE INTO \(vector) ('ma', 'b', '', x'0000803f', 'n', 1, 1)",
      ["embedding 1", "embedding 4", "episode 1", "episode 2"]
    ),
  ]

  @Test(arguments: scripts) func `name every row that a shell changes`(_ sql: String, _ changes: Set<String>)
    async throws
  {
    #expect(try await Shell().run(sql, foreignKeys: true) == changes, "\(sql)")
  }

  static let loose: [(sql: String, changes: Set<String>)] = [
    ("DELETE FROM episodes WHERE id = 'b'", ["episode 2/0", "embedding 3"]),
    (
      "INSERT OR REPLACE INTO \(episode) ('b', 't', 'd', 'x', 1)",
      ["episode 2/0", "episode 3", "episode 3/3", "embedding 3"]
    ),
    (
      "DELETE FROM episodes WHERE id = 'b'; INSERT INTO episodes (seq, \(episode.dropFirst("episodes (".count)) (9, 'b', 't', 'd', 'x', 1)",
      ["episode 2/0", "episode 9", "embedding 3"]
    ),
    (
      "INSERT OR REPLACE INTO episodes (seq, \(episode.dropFirst("episodes (".count)) (2, 'z', 't', 'd', 'x', 1)",
      ["episode 2", "episode 2/0", "embedding 3"]
    ),
    ("DELETE FROM steps WHERE id = 'a/1'", ["episode 1/1", "embedding 2", "episode 1"]),
    (
      "DELETE FROM episodes WHERE id = 'b'; DELETE FROM embeddings",
      ["episode 1", "episode 2/0", "embedding 1", "embedding 2", "embedding 3"]
    ),
  ]

  @Test(arguments: loose) func `name dependent rows that are deleted while foreign keys are off`(
    _ sql: String, _ changes: Set<String>
  ) async throws {
    #expect(try await Shell().run(sql, foreignKeys: false) == changes, "\(sql)")
  }

  @Test func `are absent from entries of an earlier schema and present in new ones`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("memory.sqlite")
    let old = try WALDatabase(
      path: path,
      .init(
        applicationID: Schema.applicationID, migrations: Array(Schema.migrations.prefix(4)),
        report: { doing, error in Issue.record("\(doing): \(error)") }))
    try await old.write { db in try db.execute(sql: "INSERT INTO \(Self.episode) ('a', 't', 'd', 'x', 1)") }
    try await old.close()
    let primary = try await SQLitePrimaryStore(path: path, logger: Logger(label: "test"))
    _ = try await primary.insert([.sample("b", steps: ["one"])], embeddings: [], existing: .fail)
    let changes = try await primary.changes(after: .beginning, limit: 10).changes
    #expect(changes.map(\.key) == ["a", "a", "b", "b"])
    #expect(changes.map(\.row) == [nil, 1, 2, 2])
    #expect(changes.map(\.step) == [nil, nil, nil, 1])
  }

  @Test func `of a deleted episode are not reused by a new one with its id`() async throws {
    let shell = try await Shell()
    _ = try await shell.run("DELETE FROM episodes WHERE id = 'b'", foreignKeys: false)
    let changes = try await shell.run("INSERT INTO \(Self.episode) ('b', 't', 'd', 'x', 1)", foreignKeys: true)
    #expect(changes == ["episode 2"])
  }

  @Test func `include the vector of a deleted step`() async throws {
    let changes = try await Shell().run("DELETE FROM steps WHERE id = 'a/1'", foreignKeys: true)
    #expect(changes == ["episode 1/1", "embedding 2", "episode 1"])
  }

  @Test func `come with the domain that an episode leaves, and with that of a deleted vector if it is still known`()
    async throws
  {
    let shell = try await Shell()
    let before = try await shell.primary.statistics().watermark
    _ = try await shell.run(
      "UPDATE episodes SET domain = 'new' WHERE id = 'b'; DELETE FROM embeddings WHERE id = 'mb'", foreignKeys: true)
    let changes = try await shell.primary.changes(after: before, limit: 100).changes
    #expect(Set(changes.filter { $0.subject == .episode }.map(\.domain)) == ["swift", "new"])
    #expect(changes.filter { $0.subject == .embedding }.map(\.domain) == ["new"])
  }
}
