import Foundation
import GRDB
import TestSupport
import Testing

@testable import Episodic

/// A fault in a store that was whole, and what a diagnosis calls it.
struct PlantedFault: Sendable, CustomTestStringConvertible {
  let name: String
  /// Everything that is found, the fault and what follows from it.
  let codes: Set<String>
  var depth = MemoryCheck.Depth.quick
  /// What is left after a repair.
  var left: Set<String>?
  var adjust: @Sendable (inout DiagnosisOptions) -> Void = { _ in }
  var needsRoot = false
  /// Returns what has to live until the diagnosis, such as a process.
  let plant: @Sendable (FaultyStore) async throws -> (any Sendable)?

  var testDescription: String { name }

  init(
    _ name: String, _ codes: Set<FindingCode>, depth: MemoryCheck.Depth = .quick, left: Set<FindingCode>? = nil,
    needsRoot: Bool = false, adjust: @escaping @Sendable (inout DiagnosisOptions) -> Void = { _ in },
    plant: @escaping @Sendable (FaultyStore) async throws -> (any Sendable)?
  ) {
    self.name = name
    self.codes = Set(codes.map(\.rawValue))
    self.depth = depth
    self.left = left.map { Set($0.map(\.rawValue)) }
    self.needsRoot = needsRoot
    self.adjust = adjust
    self.plant = plant
  }

  /// By SQL of a program without the engine's settings.
  static func sql(
    _ name: String, _ codes: Set<FindingCode>, depth: MemoryCheck.Depth = .quick, left: Set<FindingCode>? = nil,
    _ script: String
  ) -> PlantedFault {
    PlantedFault(name, codes, depth: depth, left: left) { store in
      try store.run(script)
      return nil
    }
  }

  /// By a file operation in the directory.
  static func shell(
    _ name: String, _ codes: Set<FindingCode>, left: Set<FindingCode>? = nil, needsRoot: Bool = false,
    adjust: @escaping @Sendable (inout DiagnosisOptions) -> Void = { _ in }, _ script: String
  ) -> PlantedFault {
    PlantedFault(name, codes, left: left, needsRoot: needsRoot, adjust: adjust) { store in
      try store.shell(script)
      return nil
    }
  }
}

/// A closed store with episodes, vectors, a pattern, a cache and an index.
final class FaultyStore: Sendable {
  let store: Store
  var path: String { store.path }

  init(rows: Int = 6) async throws {
    store = try Store()
    try await store.withMemory { memory in
      for number in 0..<rows {
        let id = Episode.ID("e\(number)")
        try await memory.insert(
          [.sample(id, context: "task \(number)", steps: ["run \(number)", "read \(number)"])],
          embeddings: [.init(of: id, content: "task", vector: [1, Float(number), 2], model: "m")])
      }
      _ = try await memory.record(.init(.optimization, data: ["use": "a lock"]))
      // The index is built and stands at the last change.
      try await memory.optimize()
      for number in 0..<rows { _ = try await memory.episode(Episode.ID("e\(number)")) }
      _ = try await memory.recall(Query(text: "task", scope: .everything))
    }
  }

  func file(_ name: String) -> String { path + "/" + name }

  func run(_ script: String) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    let database = try DatabaseQueue(path: file("memory.sqlite"), configuration: configuration)
    try database.writeWithoutTransaction { db in try db.execute(sql: script) }
    try database.close()
  }

  /// Changes rows while triggers are not there, as a program that disables them does.
  func run(_ script: String, withoutTriggers pattern: String) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    let database = try DatabaseQueue(path: file("memory.sqlite"), configuration: configuration)
    try database.writeWithoutTransaction { db in
      let triggers = try Row.fetchAll(
        db, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name GLOB ?", arguments: [pattern])
      try #require(!triggers.isEmpty, "no trigger is like \(pattern)")
      for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger[0] as String)") }
      try db.execute(sql: script)
      for trigger in triggers { try db.execute(sql: trigger[1] as String) }
    }
    try database.close()
  }

  func shell(_ script: String) throws {
    let child = try Child(running: "/bin/sh", ["-ec", "cd '\(path)'\n\(script)"], in: store.directory)
    let status = child.wait()
    let errors = try child.standardError
    try #require(status == 0, "\(script): \(errors)")
  }

  /// Writes a reader into the table of the cache, as one that reads the first commit.
  func writeReader(_ process: Int32) throws {
    let lock = file("cache.lmdb/lock.mdb")
    var bytes = try Data(contentsOf: URL(filePath: lock))
    // 8 bytes before a mutex of 40; behind it a number of 8 bytes and the count; readers from the second line after.
    let mutex = MemoryLayout<pthread_mutex_t>.size
    let (count, first) = (16 + mutex, 128)
    try #require(bytes.count > first + 64 && bytes.prefix(4) == Data([0xDE, 0xC0, 0xEF, 0xBE]))
    func put(_ value: some FixedWidthInteger, at offset: Int) {
      withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }
    put(UInt32(1), at: count)
    put(UInt64(1), at: first)
    put(process, at: first + 8)
    try bytes.write(to: URL(filePath: lock))
  }
}

extension PlantedFault {
  private static let now = Int64(Date().timeIntervalSince1970 * 1000)

  static let all: [PlantedFault] = files + rows + upkeep + derived + machine

  private static let files: [PlantedFault] = [
    shell("there is no directory", [.storeMissing], "cd .. && rm -r store"),
    shell("there is no database", [.storeMissing], "rm memory.sqlite"),
    shell("the database is another program's text", [.databaseForeign], "yes text | head -c 20000 > memory.sqlite"),
    sql("the database is another application's", [.databaseForeign], "PRAGMA application_id = 7"),
    sql(
      "the schema is newer", [.schemaNewer],
      "INSERT INTO schema_version (version, applied_at, description, checksum) VALUES (99, 0, 'x', 'x')"),
    PlantedFault("the schema is older", [.schemaOlder]) { store in
      let earlier = try EarlierStoreFixture(version: 10)
      try store.shell(
        "rm -r cache.lmdb memory.sqlite*; cp '\(earlier.database)' memory.sqlite; chmod 600 memory.sqlite")
      return nil
    },
    PlantedFault(
      "another program keeps the database to itself", [.primaryUnavailable],
      adjust: { $0.busyTimeout = .milliseconds(20) }
    ) { store in
      var configuration = Configuration()
      configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
      let queue = try DatabaseQueue(path: store.file("memory.sqlite"), configuration: configuration)
      try await queue.write { db in try db.execute(sql: "DELETE FROM settings WHERE name = 'none'") }
      return queue
    },
    shell("the database is gone and its log is not", [.logWithoutDatabase], "mv memory.sqlite memory.sqlite-wal"),
    shell(
      "the log of a replaced database", [.logOfReplaced],
      "echo frames > memory.sqlite-wal-of-replaced && chmod 600 memory.sqlite-wal-of-replaced"),
    shell(
      "a rollback journal", [.journalLeft],
      "head -c 600 /dev/zero > memory.sqlite-journal && chmod 600 memory.sqlite-journal"),
    shell("the database is a link", [.symbolicLink], "mv memory.sqlite ../real && ln -s ../real memory.sqlite"),
    shell("the cache is a link", [.symbolicLink], "mv cache.lmdb ../real && ln -s ../real cache.lmdb"),
    shell("the database has a second name", [.hardLinks], "ln memory.sqlite ../second"),
    shell("the database is a directory", [.notAFile], "rm memory.sqlite && mkdir memory.sqlite"),
    shell("the cache is a file", [.notAFile], "rm -r cache.lmdb && touch cache.lmdb && chmod 600 cache.lmdb"),
    shell("others may read the database", [.permissionsOpen], left: [], "chmod 644 memory.sqlite"),
    shell("others may write the directory", [.permissionsOpen], left: [], "chmod 757 ."),
    shell("a group may lock writers out", [.lockMode], left: [], "chmod 660 memory.sqlite-lock"),
    shell("a file belongs to another user", [.ownerOther], needsRoot: true, "chown 12345 memory.sqlite-lock"),
    shell(
      "a database that was being made", [.draftLeft], left: [], "touch memory.sqlite-new && chmod 600 memory.sqlite-new"
    ),
    shell(
      "a backup that was being made", [.partialLeft], left: [],
      "mkdir -m 700 backups && touch backups/memory-1.sqlite.partial && chmod 600 backups/*"),
    shell("a file of somebody", [.fileUnknown], "touch notes.txt"),
  ]

  private static let rows: [PlantedFault] = [
    PlantedFault("a record of the audit was changed", [.auditBroken], depth: .full) { store in
      let memory = try await store.store.open { $0.audit = .on(actor: "alice") }
      try await memory.update("e0", with: .init(metadata: ["seen": true]))
      try await memory.close()
      try store.run("UPDATE audit SET actor = 'mallory'", withoutTriggers: "audit_*")
      return nil
    },
    sql("a trigger is missing", [.schemaChanged], "DROP TRIGGER steps_text_insert"),
    sql(
      "a trigger of another program", [.triggerForeign],
      "CREATE TRIGGER spy AFTER INSERT ON episodes BEGIN SELECT 1; END"),
    sql("a table of another program", [.tableForeign], "CREATE TABLE notes (text)"),
    PlantedFault("an index is missing", [.indexDropped], left: []) { store in
      let database = try DatabaseQueue(path: store.file("memory.sqlite"))
      try await database.write { db in
        let name = try #require(
          try String.fetchOne(
            db,
            sql:
              "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE 'CREATE INDEX%' AND tbl_name = 'steps'")
        )
        try db.execute(sql: "DROP INDEX \(name)")
      }
      try database.close()
      return nil
    },
    PlantedFault("a page is overwritten", [.primaryDamaged]) { store in
      let database = try DatabaseQueue(path: store.file("memory.sqlite"))
      let (page, size) = try await database.read { db in
        (
          try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'patterns'") ?? 0,
          try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
        )
      }
      try database.close()
      let file = try FileHandle(forUpdating: URL(filePath: store.file("memory.sqlite")))
      try file.seek(toOffset: UInt64((page - 1) * size))
      try file.write(contentsOf: Data(repeating: 0x5A, count: size))
      try file.close()
      return nil
    },
    sql("a mark of damage", [.damageMark], left: [], "PRAGMA user_version = \(0x4441_4D47)"),
    PlantedFault("steps without an episode", [.rowsWithoutOwner], left: []) { store in
      try store.run("DELETE FROM episodes WHERE id = 'e1'", withoutTriggers: "episodes_take_along_*")
      return nil
    },
    sql(
      "a time that no calendar has", [.rowsForeign], depth: .full,
      "UPDATE steps SET timestamp = 1000000000000000000 WHERE id = 'e1/1'"),
    sql(
      "a vector of zeros", [.vectorBroken], depth: .full,
      "UPDATE embeddings SET embedding = zeroblob(12) WHERE episode_id = 'e1'"),
    sql(
      "a step is missing in the full text", [.fullText], left: [],
      "DELETE FROM steps_text_docsize WHERE id = (SELECT min(seq) FROM steps)"),
    sql(
      "a text and its index disagree", [.fullTextDamaged], depth: .full,
      "INSERT INTO steps_text (rowid, action) SELECT seq, 'phantom' FROM steps WHERE id = 'e1/1'"),
    sql(
      "a text that another program wrote", [.wordsMissing], depth: .full, left: [],
      "UPDATE steps SET action = 'run parseOtherHeader' WHERE id = 'e1/1'"),
    sql(
      "many free pages", [.freePages],
      "CREATE TABLE big (x); INSERT INTO big VALUES (zeroblob(70 << 20)); DROP TABLE big"),
    PlantedFault("the words of a pattern are others", [.patternWords, .fullText], depth: .full, left: []) { store in
      try store.run("UPDATE patterns_words SET words = 'others'")
      return nil
    },
    sql(
      "the end of the feed is gone", [.feedEnd], left: [],
      "DELETE FROM changes WHERE revision = (SELECT max(revision) FROM changes)"),
    sql(
      "a gap in the feed", [.feedGap], left: [],
      "DELETE FROM changes WHERE revision = (SELECT max(revision) - 2 FROM changes)"),
    sql(
      "no revision is left", [.feedExhausted],
      "UPDATE sqlite_sequence SET seq = 9223372036854775800 WHERE name = 'changes'"),
    sql(
      "a setting that cannot be read", [.settingBroken], "INSERT INTO settings VALUES ('retention', '\"\\ud800\"', 0)"),
    sql(
      "a policy that deletes before it archives", [.retentionContradictory],
      """
      INSERT INTO settings VALUES ('retention',
          '{"domains":{},"standard":{"archive_after_seconds":100,"delete_archived_after_seconds":10}}', 0)
      """),
    sql(
      "a policy with a rule that nobody knows", [.settingBroken],
      """
      INSERT INTO settings VALUES ('retention', '{"domains":{},"standard":{"archive_when_raining":true}}', 0)
      """),
    sql(
      "a schedule that is none", [.settingBroken],
      """
      INSERT INTO settings VALUES ('backup_schedule', '{"every_seconds":"often"}', 0)
      """),
    sql("a setting that nobody knows", [.settingUnknown], "INSERT INTO settings VALUES ('colour', '1', 0)"),
    sql(
      "a row of the year 2100", [.clockBehind],
      "INSERT INTO maintenance VALUES ('text', 4102444800000, 4102444800000, '{}')"),
  ]

  private static let upkeep: [PlantedFault] = [
    PlantedFault("an erasure that was not finished", [.erasureUnfinished], left: []) { store in
      try await store.store.withMemory { memory in _ = try await memory.forget(.episodes(["e1"]), in: .everything) }
      try store.run("UPDATE erasures SET cleaned_at = NULL")
      return nil
    },
    sql(
      "a deletion that was cut short", [.deletionUnfinished],
      "UPDATE episodes SET domain = char(1) || 'deleted' WHERE id = 'e1'"),
    sql(
      "maintenance that failed", [.maintenanceFailed],
      """
      INSERT INTO maintenance VALUES ('text', \(now), \(now), '{"outcome":"failed","reason":"no room"}')
      """),
    PlantedFault(
      "a store without maintenance for a year", [.maintenanceOverdue],
      adjust: { $0.clock = ManualClock(Timestamp(milliseconds: now + 365 * 86_400_000)) }
    ) { _ in nil },
    shell(
      "a backup without a manifest", [.backupIncomplete],
      "n=memory-$(date -u +%Y%m%dT%H%M%SZ); mkdir -m 700 backups && cp memory.sqlite backups/$n.sqlite && chmod 600 backups/*"
    ),
    shell(
      "a backup of another size than its manifest says", [.backupIncomplete],
      """
      n=memory-$(date -u +%Y%m%dT%H%M%SZ)
      mkdir -m 700 backups && cp memory.sqlite backups/$n.sqlite
      echo '{"file_bytes":1}' > backups/$n.json && chmod 600 backups/*
      """),
    shell(
      "a manifest without its backup", [.backupIncomplete],
      "n=memory-$(date -u +%Y%m%dT%H%M%SZ); mkdir -m 700 backups && echo '{}' > backups/$n.json && chmod 600 backups/*"),
    shell(
      "a backup of the year 2100", [.clockBehind],
      """
      mkdir -m 700 backups && echo x > backups/memory-21000101T000000Z.sqlite
      echo '{"file_bytes":2}' > backups/memory-21000101T000000Z.json && chmod 600 backups/*
      """),
    sql(
      "no backup for longer than twice the time of the schedule", [.backupOld],
      """
      INSERT INTO settings VALUES ('backup_schedule', '{"every_seconds":3600,"compression":"none","keep":2}',
        \(now - 3 * 3_600_000))
      """),
    sql(
      "no backup, but a schedule that was set a moment ago", [],
      """
      INSERT INTO settings VALUES ('backup_schedule', '{"every_seconds":3600,"compression":"none","keep":2}', \(now))
      """),
    shell(
      "an old backup", [.backupOld],
      """
      mkdir -m 700 backups && echo x > backups/memory-20200101T000000Z.sqlite
      echo '{"file_bytes":2}' > backups/memory-20200101T000000Z.json && chmod 600 backups/*
      """),
    shell(
      "too many backups", [.backupsMany], adjust: { $0.limits.backupsWarningCount = 2 },
      """
      mkdir -m 700 backups; for n in 1 2; do echo x > backups/memory-$n.sqlite; echo '{"file_bytes":2}' > backups/memory-$n.json; done
      chmod 600 backups/*
      """),
    shell(
      "a line of the receipts cannot be read", [.receiptsUnreadable],
      "mkdir -m 700 backups; echo damaged > backups/receipts.jsonl; chmod 600 backups/*"),
  ]

  private static let derived: [PlantedFault] = [
    shell(
      "the cache's file is cut short", [.cacheUnreadable], left: [],
      "head -c 100 cache.lmdb/data.mdb > x && cat x > cache.lmdb/data.mdb && rm x"),
    shell(
      "the index's file is overwritten", [.indexUnreadable], left: [],
      "yes junk | head -c 40000 > x && cat x > cache.lmdb/index/data.mdb && rm x"),
    PlantedFault(
      "an episode was changed behind the feed", [.cacheWrong, .indexWrong], depth: .full, left: []
    ) { store in
      try store.run("UPDATE episodes SET success_rate = 0.25 WHERE id = 'e1'", withoutTriggers: "episodes_*")
      return nil
    },
    shell(
      "the cache's directory is another program's", [.derivedUnusable],
      "rm -r cache.lmdb && mkdir -m 700 cache.lmdb && touch cache.lmdb/notes.txt && chmod 600 cache.lmdb/notes.txt"),
    PlantedFault("a dead process reads the cache", [.readerDead], left: []) { store in
      let child = try Child(running: "/bin/true", [], in: store.store.directory)
      _ = child.wait()
      try store.writeReader(child.process)
      return nil
    },
    PlantedFault("a stopped process reads the cache", [.readerStopped]) { store in
      let child = try Child(running: "/bin/sleep", ["600"], in: store.store.directory)
      try await child.stop()
      try store.writeReader(child.process)
      return KilledAtEnd(child)
    },
    PlantedFault("a stopped process holds the lock of writers", [.lockStopped]) { store in
      let child = try Child(
        running: "/usr/bin/flock",
        ["-n", store.file("memory.sqlite-lock"), "/bin/sh", "-c", "echo held; kill -STOP $PPID; sleep 600"],
        in: store.store.directory)
      try await child.waitForLines(1)
      try await child.waitUntilStopped()
      return KilledAtEnd(child)
    },
  ]

  private static let machine: [PlantedFault] = [
    shell("a store beyond its threshold", [.storeLarge], adjust: { $0.limits.storeWarningBytes = 1 }, "true"),
    shell("an index beyond its threshold", [.indexLarge], adjust: { $0.limits.indexWarningBytes = 1 }, "true"),
    PlantedFault("a log beyond its threshold", [.logLong], left: [], adjust: { $0.limits.logWarningBytes = 1 }) {
      store in
      // Killed with a log.
      let child = try Child("StoreWorker", ["record", store.path, "k"], in: store.store.directory)
      try await child.waitForLines(4)
      child.kill()
      return nil
    },
    shell("a disk below its floor", [.diskLow], adjust: { $0.limits.minimumFreeBytes = 1 << 60 }, "true"),
  ]
}

/// Ends a process with the last reference.
final class KilledAtEnd: Sendable {
  private let child: Child
  init(_ child: Child) { self.child = child }
  deinit { child.kill() }
}
