import Foundation
import GRDB
import SQLiteStorage
import TestSupport
import Testing

@Suite struct `Group commit` {
  @Test func `concurrent calls share commits and each is answered after its own`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration(synchronous: .full))
    let before = try database.commitStamp()
    try await withThrowingTaskGroup { group in
      for caller in 0..<64 {
        group.addTask {
          for round in 0..<8 {
            try await database.add("\(caller)/\(round)")
            let count = try await database.read { db in
              try Int.fetchOne(db, sql: "SELECT count(*) FROM notes WHERE text = ?", arguments: ["\(caller)/\(round)"])
            }
            #expect(count == 1)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await database.texts().count == 512)
    #expect(try database.commitStamp() != before)
  }

  @Test func `a call that fails after it wrote takes nothing of the calls it shared a commit with`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    struct Refused: Error {}
    let outcomes = await withTaskGroup(of: Bool.self) { group in
      for caller in 0..<40 {
        group.addTask {
          do {
            try await database.write { db in
              try db.execute(sql: "INSERT INTO notes (text) VALUES (?)", arguments: ["\(caller)"])
              if caller.isMultiple(of: 5) { throw Refused() }
            }
            return true
          } catch {
            return false
          }
        }
      }
      return await group.reduce(into: [false: 0, true: 0]) { $0[$1, default: 0] += 1 }
    }
    #expect(outcomes == [false: 8, true: 32])
    #expect(Set(try await database.texts()) == Set((0..<40).filter { !$0.isMultiple(of: 5) }.map(String.init)))
  }

  @Test func `an error before the first write fails its own call only`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    struct Refused: Error {}
    async let kept: Void = database.add("kept")
    await #expect(throws: Refused.self) { try await database.write { _ in throw Refused() } }
    try await kept
    #expect(try await database.texts() == ["kept"])
  }
}

@Suite struct `A write-ahead database` {
  @Test(arguments: [WALDatabase.Synchronous.full, .normal])
  func `durability is in force on the connection that writes`(_ synchronous: WALDatabase.Synchronous) async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration(synchronous: synchronous))
    // `synchronous` cannot be set inside a transaction, but it can be read there.
    let pragmas = try await database.write { db in
      try ["synchronous", "foreign_keys", "wal_autocheckpoint", "journal_mode"].map { pragma in
        try String.fetchOne(db, sql: "PRAGMA \(pragma)")
      }
    }
    #expect(pragmas == [synchronous == .full ? "2" : "1", "1", "0", "wal"])
  }

  @Test func `the data version moves on a commit of another process and not without one`() async throws {
    let directory = try TemporaryDirectory()
    let ours = try WALDatabase(path: directory.file("db"), configuration())
    let theirs = try WALDatabase(path: directory.file("db"), configuration())
    let before = try ours.commitStamp()
    #expect(try ours.commitStamp() == before)
    try await theirs.add("seen")
    let after = try ours.commitStamp()
    #expect(after != before)
    #expect(try ours.commitStamp() == after)
  }

  @Test func `the log is moved into the file when it is long`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    let text = String(repeating: "x", count: 100_000)
    for round in 0..<300 { try await database.add("\(round)\(text)") }
    let log = try FileManager.default.attributesOfItem(atPath: directory.file("db-wal"))[.size] as? Int ?? 0
    #expect(log < 12 << 20, "30 MB were written through a log of \(log) bytes")
    #expect(try await database.texts().count == 300)
  }

  @Test func `closing waits for no reader, and opening again writes nothing`() async throws {
    let directory = try TemporaryDirectory()
    let reader = try WALDatabase(path: directory.file("db"), configuration())
    // Whoever waits, waits for longer than the reader stays.
    let database = try WALDatabase(path: directory.file("db"), configuration(busyTimeout: .seconds(3600)))
    try await database.add("first")
    let started = AsyncStream<Void>.makeStream()
    let release = DispatchSemaphore(value: 0)
    let held = Held { release.signal() }
    async let reading = reader.read { db in
      let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM notes")
      started.continuation.finish()
      release.wait()
      return count
    }
    for await _ in started.stream {}
    try await database.add("second")
    try await database.close()
    #expect(held.isHeld)
    let version = try reader.commitStamp()
    _ = try WALDatabase(path: directory.file("db"), configuration())
    #expect(try reader.commitStamp() == version)
    held.release()
    #expect(try await reading == 1)
  }

  @Test func `a writer that another process keeps waiting fails after the timeout and names what to look for`()
    async throws
  {
    let directory = try TemporaryDirectory()
    let ours = try WALDatabase(path: directory.file("db"), configuration(busyTimeout: .milliseconds(50)))
    let theirs = try WALDatabase(path: directory.file("db"), configuration())
    let started = AsyncStream<Void>.makeStream()
    let release = DispatchSemaphore(value: 0)
    async let holding: Void = theirs.write { _ in
      started.continuation.finish()
      release.wait()
    }
    for await _ in started.stream {}
    await #expect(throws: StorageError.self) { try await ours.add("waits") }
    release.signal()
    try await holding
    try await ours.add("goes on")
    #expect(try await ours.texts() == ["goes on"])
  }
}

@Suite struct `Opening a database` {
  @Test func `a file of another application is refused and left as it was`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("db")
    try DatabaseQueue(path: path).write { db in
      try db.execute(sql: "CREATE TABLE theirs (x); PRAGMA application_id = 9")
    }
    let bytes = try Data(contentsOf: URL(filePath: path))
    #expect { try WALDatabase(path: path, configuration()) } throws: {
      guard case StorageError.foreign = $0 else { return false }
      return true
    }
    #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
  }

  @Test func `a file that is no database is refused and left as it was`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("db")
    let bytes = Data(repeating: 0x61, count: 8192)
    try bytes.write(to: URL(filePath: path))
    #expect(throws: DatabaseError.self) { try WALDatabase(path: path, configuration()) }
    #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
  }

  @Test func `a missing file is created only if configured`() throws {
    let directory = try TemporaryDirectory()
    #expect { try WALDatabase(path: directory.file("db"), configuration(create: false)) } throws: {
      guard case StorageError.missing = $0 else { return false }
      return true
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
  }

  @Test func `a newer schema is refused with both versions`() throws {
    let directory = try TemporaryDirectory()
    let second = notes + [migration("002_more", "CREATE TABLE more (x INTEGER) STRICT;")]
    _ = try WALDatabase(path: directory.file("db"), configuration(migrations: second))
    #expect { try WALDatabase(path: directory.file("db"), configuration()) } throws: {
      guard case StorageError.newer(_, version: 2, known: 1) = $0 else { return false }
      return true
    }
  }

  @Test func `a released migration that was changed is refused`() throws {
    let directory = try TemporaryDirectory()
    _ = try WALDatabase(path: directory.file("db"), configuration())
    let changed = [migration("001_notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT;")]
    #expect { try WALDatabase(path: directory.file("db"), configuration(migrations: changed)) } throws: {
      guard case StorageError.changedMigration(_, version: 1) = $0 else { return false }
      return true
    }
  }

  @Test func `a migration that fails leaves the ones before it and nothing of itself`() async throws {
    let directory = try TemporaryDirectory()
    let broken = notes + [migration("002_broken", "CREATE TABLE half (x INTEGER) STRICT; CREATE TABLE notes (x);")]
    #expect(throws: DatabaseError.self) {
      try WALDatabase(path: directory.file("db"), configuration(migrations: broken))
    }
    let database = try WALDatabase(path: directory.file("db"), configuration())
    let tables = try await database.read { db in
      try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    }
    #expect(tables == ["notes", "schema_version"])
  }

  @Test func `many openers at once make one database`() async throws {
    let directory = try TemporaryDirectory()
    try await withThrowingTaskGroup { group in
      for opener in 0..<8 {
        group.addTask {
          try await WALDatabase(path: directory.file("db"), configuration()).add("\(opener)")
        }
      }
      try await group.waitForAll()
    }
    #expect(try await WALDatabase(path: directory.file("db"), configuration()).texts().count == 8)
  }
}
