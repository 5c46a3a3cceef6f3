import Episodic
import Foundation
import GRDB
import Logging
import MemorySQLite
import TestSupport
import Testing

/// A store that the code of an earlier schema version made; see Fixtures/README.md.
struct EarlierStoreFixture {
  static let newest = 16
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
  static let versions = Array(1..<newest)
  /// The tables with content, and what their rows are ordered by.
  static let tables = [
    "episodes": "seq", "steps": "seq", "patterns": "seq", "episode_patterns": "episode_id, pattern_id",
    "embeddings": "seq", "idempotency_keys": "domain, key",
  ]

  let directory: TemporaryDirectory
  var path: String { directory.file("store") }
  var database: String { path + "/memory.sqlite" }

  init(version: Int) throws {
    directory = try TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let name = String(format: "schema-%02d.sqlite.gz", version)
    let unpacked = try Child(
      running: "/bin/sh",
      [
        "-c", "gzip -dc \"$1\" > \"$2\"", "sh", Self.fixtures.appending(path: name).path(percentEncoded: false),
        database,
      ], in: directory)
    #expect(unpacked.wait() == 0)
  }

  /// The rows of the tables with content, by table, each with the columns that it has there.
  static func rows(of database: String) throws -> [String: [Row]] {
    var configuration = Configuration()
    configuration.readonly = true
    let queue = try DatabaseQueue(path: database, configuration: configuration)
    defer { try? queue.close() }
    return try queue.read { db in
      var rows: [String: [Row]] = [:]
      for (table, order) in tables where try db.tableExists(table) {
        rows[table] = try Row.fetchAll(db, sql: "SELECT * FROM \(table) ORDER BY \(order)")
      }
      return rows
    }
  }

  static func schemaVersion(of database: String) throws -> Int? {
    let queue = try DatabaseQueue(path: database)
    defer { try? queue.close() }
    return try queue.read { db in try Int.fetchOne(db, sql: "SELECT max(version) FROM schema_version") }
  }

  /// The backups that were made before migrations.
  func backups() throws -> [String] {
    guard FileManager.default.fileExists(atPath: path + "/backups") else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: path + "/backups").sorted()
  }

  func open(backsUp: Bool = true) async throws -> Memory {
    var options = Memory.OpenOptions()
    options.backsUpBeforeMigrating = backsUp
    // A day after the newest row: later, what is kept for days only may go.
    options.clock = ManualClock(Timestamp(milliseconds: 1_790_186_400_000))
    return try await Memory.open(at: path, options: options)
  }

  /// Fails for each row of before that is no longer there as it was; columns that were added are left out.
  static func expectNothingLost(_ before: [String: [Row]], _ after: [String: [Row]]) {
    for (table, rows) in before {
      let kept = after[table] ?? []
      #expect(kept.count == rows.count, "\(table)")
      for (old, new) in zip(rows, kept) {
        // Filled by the migration that added them.
        for column in old.columnNames where column != "added" && column != "labels" {
          #expect(old[column] as DatabaseValue == new[column] as DatabaseValue, "\(table).\(column) of \(old)")
        }
      }
    }
  }

  /// The lines of an export, oldest first.
  static func export(_ memory: Memory, in directory: TemporaryDirectory) async throws -> [JSON] {
    let file = directory.file("\(UUID()).jsonl")
    try await memory.exportEpisodes(to: .file(file))
    return try String(contentsOf: URL(filePath: file), encoding: .utf8).split(separator: "\n").map { line in
      try JSON(text: String(line))
    }.reversed()
  }
}

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

@Suite struct `A store that earlier code made` {
  @Test(arguments: EarlierStoreFixture.versions)
  func `is migrated without loss, and the store of before lies beside it as a verified backup`(_ version: Int)
    async throws
  {
    let store = try EarlierStoreFixture(version: version)
    let before = try EarlierStoreFixture.rows(of: store.database)
    #expect(before["episodes"]?.count == (version < 9 ? 12 : 13))
    let memory = try await store.open()
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name): \(check.outcome)") }
    #expect(try await memory.statistics().primary.schemaVersion == EarlierStoreFixture.newest)

    // What was recorded, as the code of today exports and imports it.
    let reference = try await Memory.inMemory()
    _ = try await reference.importEpisodes(
      from: [.file(EarlierStoreFixture.fixtures.appending(path: "history.jsonl").path(percentEncoded: false))])
    let expected = try await EarlierStoreFixture.export(reference, in: store.directory)
    let exported = try await EarlierStoreFixture.export(memory, in: store.directory)
    #expect(exported.filter { $0["id"] != "episode-13" } == expected)

    // Words, in several scripts, and words that only the analyser of today adds; vectors.
    for (text, id) in [
      ("flaky login", "episode-01"), ("größer", "episode-03"), ("数据库", "episode-04"), ("утечку памяти", "episode-08"),
      ("camel case names", "episode-10"),
    ] {
      let hits = try await memory.recall(
        Query(text: text, scope: .everything, filter: Episode.Filter(statuses: Set(Episode.Status.allCases))))
      #expect(hits.contains { $0.episode.id.rawValue == id }, "\(text)")
    }
    if version >= 2 {
      let vector: [Float] = (0..<8).map { place in
        let number = (21 + place * 3) % 11
        return Float(number) - 5.5
      }
      let hits = try await memory.recall(Query(vector: vector, scope: .everything))
      #expect(hits.first?.episode.id == "episode-03")
    }
    let patterns = try await memory.patterns(in: .everything)
    #expect(patterns.count == (version < 7 ? 2 : 3))
    #expect(patterns.contains { $0.usageCount == 1 && $0.data == ["tools": ["grep", "edit", "test"]] })
    if version >= 9 {
      let again = try await memory.begin(
        .init(.testing, domain: "ops", context: "begun once", id: "episode-13"), idempotencyKey: "once")
      #expect(again.id == "episode-13")
    }
    try await memory.close()
    EarlierStoreFixture.expectNothingLost(before, try EarlierStoreFixture.rows(of: store.database))

    let backup = try #require(try store.backups().first { $0.hasSuffix(".sqlite") })
    #expect(backup.hasPrefix("before-schema-0\(EarlierStoreFixture.newest)-"))
    #expect(try EarlierStoreFixture.schemaVersion(of: store.path + "/backups/" + backup) == version)
    EarlierStoreFixture.expectNothingLost(
      before, try EarlierStoreFixture.rows(of: store.path + "/backups/" + backup))
    let verification = try await Memory.verify(store.path + "/backups/" + backup)
    #expect(verification.isPassed && verification.matchesManifest, "\(verification)")
    #expect(verification.schemaVersion == version && verification.backup.kind == .beforeMigration)
    #expect(verification.backup.manifest?.rows["episodes"] == before["episodes"]?.count)
    #expect(try await store.open().episode("episode-01") != nil)
    #expect(try store.backups().filter { $0.hasSuffix(".sqlite") }.count == 1)
  }

  @Test(arguments: [1, 6, 10]) func `is left as it is by an opening for reading only`(_ version: Int) async throws {
    let store = try EarlierStoreFixture(version: version)
    let before = try Data(contentsOf: URL(filePath: store.database))
    var options = Memory.OpenOptions()
    options.access = .readOnly
    let error = await failure { _ = try await Memory.open(at: store.path, options: options) }
    #expect(error?.code == .readOnly && error?.message.contains("version \(version)") == true)
    #expect(try Data(contentsOf: URL(filePath: store.database)) == before)
    #expect(try store.backups().isEmpty)
  }

  @Test func `is refused by a build that is older, with its version, byte for byte as it was`() async throws {
    let store = try EarlierStoreFixture(version: 10)
    try await store.open(backsUp: false).close()
    let queue = try DatabaseQueue(path: store.database)
    try await queue.write { db in
      try db.execute(
        sql: "INSERT INTO schema_version VALUES (?, 1, 'of a newer build', ?)",
        arguments: [EarlierStoreFixture.newest + 1, String(repeating: "0", count: 64)])
    }
    try await queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    try queue.close()
    let before = try Data(contentsOf: URL(filePath: store.database))
    let error = await failure { _ = try await store.open() }
    #expect(error?.code == .notAStore)
    #expect(error?.message.contains("schema version \(EarlierStoreFixture.newest + 1)") == true)
    #expect(try Data(contentsOf: URL(filePath: store.database)) == before)
  }

  @Test func `is migrated without a backup if none is wanted`() async throws {
    let store = try EarlierStoreFixture(version: 6)
    try await store.open(backsUp: false).close()
    #expect(try store.backups().isEmpty)
    #expect(try EarlierStoreFixture.schemaVersion(of: store.database) == EarlierStoreFixture.newest)
  }

  @Test func `is not migrated if the backup cannot be made`() async throws {
    let store = try EarlierStoreFixture(version: 6)
    let before = try EarlierStoreFixture.rows(of: store.database)
    try Data().write(to: URL(filePath: store.path + "/backups"))
    let error = await failure { _ = try await store.open() }
    #expect(error?.code == .unavailable && error?.message.contains("backups") == true)
    #expect(try EarlierStoreFixture.schemaVersion(of: store.database) == 6)
    EarlierStoreFixture.expectNothingLost(before, try EarlierStoreFixture.rows(of: store.database))
  }

  @Test func `is as it was after a migration that finds the disk full, and without a backup of it`() async throws {
    let store = try EarlierStoreFixture(version: 4)
    let before = try EarlierStoreFixture.rows(of: store.database)
    let error = await failure {
      _ = try await SQLitePrimaryStore(
        path: store.database, backups: store.path + "/backups", maximumPageCount: 1, logger: Logger(label: "test"))
    }
    #expect(error?.code == .unavailable && error?.message.contains("free some space") == true)
    #expect(try EarlierStoreFixture.schemaVersion(of: store.database) == 4)
    EarlierStoreFixture.expectNothingLost(before, try EarlierStoreFixture.rows(of: store.database))
    #expect(try store.backups().isEmpty)
    let memory = try await store.open()
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test func `is migrated once by four processes that open it at the same moment`() async throws {
    let store = try EarlierStoreFixture(version: 4)
    let children = try (0..<4).map { try Child("StoreWorker", ["open", store.path, "\($0)"], in: store.directory) }
    for child in children {
      #expect(child.wait() == 0, "\((try? child.standardError) ?? "")")
      #expect(try child.lines == ["opened"])
    }
    #expect(try store.backups().filter { $0.hasSuffix(".sqlite") }.count == 1)
    #expect(try EarlierStoreFixture.schemaVersion(of: store.database) == EarlierStoreFixture.newest)
  }

  /// With `EPISODIC_KILLS=500` so many.
  @Test func `has the old schema or the new one, whenever the process that migrates it is killed`() async throws {
    let kills = ProcessInfo.processInfo.environment["EPISODIC_KILLS"].flatMap(Int.init) ?? 12
    let grown = try EarlierStoreFixture(version: 4)
    try grown.grow()
    let before = try EarlierStoreFixture.rows(of: grown.database)
    var generator = SystemRandomNumberGenerator()
    var outcomes: [Int: Int] = [:]
    var longest = Duration.zero
    for round in 0...kills {
      let directory = try TemporaryDirectory()
      let path = directory.file("store")
      try FileManager.default.copyItem(atPath: grown.path, toPath: path)
      let begin = ContinuousClock.now
      let child = try Child("StoreWorker", ["open", path, "k"], in: directory)
      if round == 0 {
        // The first runs to its end, so that the others are killed in the midst of it.
        #expect(child.wait() == 0)
        longest = ContinuousClock.now - begin
      } else {
        try await Task.sleep(for: longest * Double.random(in: 0...1, using: &generator))
        child.kill()
      }
      let version = try EarlierStoreFixture.schemaVersion(of: path + "/memory.sqlite")
      #expect(version == 4 || version == EarlierStoreFixture.newest)
      outcomes[version ?? 0, default: 0] += 1
      EarlierStoreFixture.expectNothingLost(before, try EarlierStoreFixture.rows(of: path + "/memory.sqlite"))
      let memory = try await Memory.open(at: path)
      #expect(try await memory.statistics().primary.schemaVersion == EarlierStoreFixture.newest)
      try await memory.close()
      EarlierStoreFixture.expectNothingLost(before, try EarlierStoreFixture.rows(of: path + "/memory.sqlite"))
      let backups = try FileManager.default.contentsOfDirectory(atPath: path + "/backups")
      #expect(
        backups.contains { $0.hasPrefix("before-schema-0\(EarlierStoreFixture.newest)-") && $0.hasSuffix(".sqlite") })
    }
    print("migrations killed: \(kills); schema afterwards: \(outcomes.sorted { $0.key < $1.key })")
  }
}

extension EarlierStoreFixture {
  /// Adds a thousand episodes with three steps each, as the schema of that version keeps them.
  fileprivate func grow() throws {
    let queue = try DatabaseQueue(path: database)
    try queue.write { db in
      try db.execute(
        sql: """
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
          INSERT INTO episodes (id, task_type, domain, context, status, created_at, completed_at)
          SELECT 'grown-' || i, 'testing', 'web', 'grown context ' || i || ' parseHTTPHeader', 'completed', i, i FROM n;
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
          INSERT INTO steps (id, episode_id, step_number, action, result, timestamp)
          SELECT 'step-' || i, 'grown-' || ((i - 1) / 3 + 1), (i - 1) % 3 + 1, 'run test_' || i, 'line of output ' || i, i
          FROM n;
          """)
    }
    try queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    try queue.close()
  }
}
