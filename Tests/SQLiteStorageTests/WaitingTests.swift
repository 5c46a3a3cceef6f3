import Foundation
import GRDB
import SQLiteStorage
import TestSupport
import Testing

@Suite struct `Waiting for another process` {
  private func expectLocked(_ error: (any Error)?, naming path: String) {
    guard case StorageError.locked(let locked, _)? = error as? StorageError else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(locked == path)
  }

  @Test func `a write gives up after the timeout, names the file, and has changed nothing`() async throws {
    let directory = try TemporaryDirectory()
    let theirs = try WALDatabase(path: directory.file("db"), configuration())
    let ours = try WALDatabase(path: directory.file("db"), configuration(busyTimeout: .milliseconds(50)))
    try await theirs.whileWriting {
      expectLocked(await failure { try await ours.add("waits") }, naming: directory.file("db-lock"))
    }
    let shell = try otherProgram(directory.file("db"))
    try shell.inDatabase { db in try db.execute(sql: "BEGIN IMMEDIATE") }
    expectLocked(await failure { try await ours.add("waits") }, naming: directory.file("db"))
    try shell.inDatabase { db in try db.execute(sql: "COMMIT") }
    try await ours.add("goes on")
    #expect(try await theirs.texts() == ["goes on"])
  }

  @Test func `a write that cannot open a new lock file leaves the removed one unlocked`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    try await database.add("before")
    let removed = open(directory.file("db-lock"), O_RDWR | O_CLOEXEC)
    defer { close(removed) }
    try FileManager.default.removeItem(atPath: directory.file("db-lock"))
    // A link is refused.
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("db-lock"), withDestinationPath: directory.file("elsewhere"))
    #expect(await failure { try await database.add("refused") } != nil)
    #expect(flock(removed, LOCK_EX | LOCK_NB) == 0)
  }

  @Test(arguments: [true, false])
  func `a write whose task is cancelled stops waiting, and the others of its group go on`(
    _ holdsOurLock: Bool
  ) async throws {
    let directory = try TemporaryDirectory()
    let theirs = try WALDatabase(path: directory.file("db"), configuration())
    let ours = try WALDatabase(path: directory.file("db"), configuration(busyTimeout: .seconds(3600)))
    func cancelWhileWaiting() async throws -> Task<Void, any Error> {
      let cancelled = Task { try await ours.add("cancelled") }
      let kept = Task { try await ours.add("kept") }
      cancelled.cancel()
      #expect(await failure { try await cancelled.value } is CancellationError)
      return kept
    }
    let kept: Task<Void, any Error>
    if holdsOurLock {
      kept = try await theirs.whileWriting { try await cancelWhileWaiting() }
    } else {
      let shell = try otherProgram(directory.file("db"))
      try shell.inDatabase { db in try db.execute(sql: "BEGIN IMMEDIATE") }
      kept = try await cancelWhileWaiting()
      try shell.inDatabase { db in try db.execute(sql: "COMMIT") }
    }
    try await kept.value
    #expect(try await ours.texts() == ["kept"])
  }

  @Test func `when all waiting calls are cancelled, the writer stops waiting and serves the next`() async throws {
    let directory = try TemporaryDirectory()
    let theirs = try WALDatabase(path: directory.file("db"), configuration())
    let ours = try WALDatabase(path: directory.file("db"), configuration(busyTimeout: .seconds(3600)))
    try await theirs.whileWriting {
      for number in 0..<20 {
        let task = Task { try await ours.add("\(number)") }
        if number.isMultiple(of: 2) { await Task.yield() }
        task.cancel()
        #expect(await failure { try await task.value } is CancellationError)
      }
    }
    try await ours.add("next")
    #expect(try await ours.texts() == ["next"])
  }

  @Test func `a transaction that runs is brought to its end, although calls are cancelled meanwhile`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    let started = AsyncStream<Void>.makeStream()
    let release = DispatchSemaphore(value: 0)
    let writing = Task {
      try await database.write { db in
        started.continuation.finish()
        release.wait()
        try db.execute(sql: "INSERT INTO notes (text) VALUES ('written')")
      }
    }
    for await _ in started.stream {}
    writing.cancel()
    release.signal()
    try await writing.value
    #expect(try await database.texts() == ["written"])
  }

  @Test func `a read whose task is cancelled is ended by SQLite, and its connection serves the next`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration(readers: 1))
    let started = AsyncStream<Void>.makeStream()
    let endless = Task {
      try await database.read { db in
        started.continuation.finish()
        return try Int.fetchOne(
          db, sql: "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n")
      }
    }
    for await _ in started.stream {}
    let waiting = Task { try await database.texts() }
    waiting.cancel()
    #expect(await failure { try await waiting.value } is CancellationError)
    endless.cancel()
    #expect(await failure { try await endless.value } is CancellationError)
    #expect(try await database.texts().isEmpty)
  }

  @Test func `making a database waits for the timeout only, and leaves nothing`() async throws {
    let directory = try TemporaryDirectory()
    let lock = open(directory.file("db-lock"), O_RDWR | O_CREAT, 0o600)
    defer { close(lock) }
    try #require(flock(lock, LOCK_EX) == 0)
    expectLocked(
      await failure {
        try await WALDatabase.open(path: directory.file("db"), configuration(busyTimeout: .milliseconds(50)))
      }, naming: directory.file("db-lock"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["db-lock"])
  }
}
