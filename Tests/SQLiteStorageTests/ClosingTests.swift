import Foundation
import GRDB
import SQLiteStorage
import TestSupport
import Testing

@Suite struct `Closing a database` {
  private func expectFileAlone(_ directory: TemporaryDirectory, holds count: Int) async throws {
    #expect(!directory.has("db-wal") && !directory.has("db-shm"))
    try directory.copy("db", to: "copy")
    #expect(try await WALDatabase(path: directory.file("copy"), configuration()).texts().count == count)
  }

  @Test(arguments: [true, false]) func `the last to close leaves the file alone, whether it wrote or only read`(
    _ writerIsLast: Bool
  ) async throws {
    let directory = try TemporaryDirectory()
    let writer = try WALDatabase(path: directory.file("db"), configuration())
    let reader = try WALDatabase(path: directory.file("db"), configuration())
    for number in 0..<10 { try await writer.add("\(number)") }
    #expect(try await reader.texts().count == 10)
    try await (writerIsLast ? reader : writer).close()
    #expect(directory.has("db-wal"))
    try await (writerIsLast ? writer : reader).close()
    try await expectFileAlone(directory, holds: 10)
  }

  @Test func `who only reads a database whose writer was killed takes its log along`() async throws {
    let directory = try TemporaryDirectory()
    let writer = try WALDatabase(path: directory.file("before"), configuration())
    for number in 0..<10 { try await writer.add("\(number)") }
    for suffix in ["", "-wal"] { try directory.copy("before" + suffix, to: "db" + suffix) }
    let reader = try WALDatabase(path: directory.file("db"), configuration(create: false))
    #expect(try await reader.texts().count == 10)
    try await reader.close()
    try await expectFileAlone(directory, holds: 10)
    try await writer.close()
  }

  @Test func `of many that close at one moment the last one removes the log`() async throws {
    let directory = try TemporaryDirectory()
    for round in 0..<20 {
      let databases = try (0..<8).map { _ in try WALDatabase(path: directory.file("db"), configuration()) }
      try await databases[round % 8].add("\(round)")
      try await withThrowingTaskGroup { group in
        for database in databases { group.addTask { try await database.close() } }
        try await group.waitForAll()
      }
      #expect(!directory.has("db-wal"), "round \(round)")
    }
    try await expectFileAlone(directory, holds: 20)
  }

  @Test func `a database that is dropped closes by itself`() async throws {
    let directory = try TemporaryDirectory()
    var database: WALDatabase? = try WALDatabase(path: directory.file("db"), configuration())
    try await database?.add("kept")
    #expect(directory.has("db-wal"))
    database = nil
    try await poll("the log of a dropped database") { !directory.has("db-wal") }
    try await expectFileAlone(directory, holds: 1)
  }

  @Test func `closing waits for no writer, and the writer removes the log`() async throws {
    let directory = try TemporaryDirectory()
    let writer = try WALDatabase(path: directory.file("db"), configuration())
    let reader = try WALDatabase(path: directory.file("db"), configuration())
    #expect(try await reader.texts().isEmpty)
    try await writer.whileWriting { try await reader.close() }
    try await writer.add("last")
    try await writer.close()
    try await expectFileAlone(directory, holds: 1)
  }

  @Test func `a read that is under way is brought to its end, and one that comes later is refused`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    try await database.add("read")
    let started = AsyncStream<Void>.makeStream()
    let release = DispatchSemaphore(value: 0)
    async let reading = database.read { db in
      started.continuation.finish()
      release.wait()
      return try Int.fetchOne(db, sql: "SELECT count(*) FROM notes")
    }
    for await _ in started.stream {}
    async let closing: Void = database.close()
    try await poll("the end of reading") { await failure { try await database.texts() } is StorageError }
    release.signal()
    #expect(try await reading == 1)
    try await closing
    try await expectFileAlone(directory, holds: 1)
  }

  @Test func `a closed database says so, and closes again`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    try await database.close()
    try await database.close()
    for error in [await failure { try await database.texts() }, await failure { try await database.add("x") }] {
      guard case StorageError.closed? = error as? StorageError else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
  }
}

/// Waits for what comes by itself, however busy the machine is.
func poll(_ what: String, _ condition: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(600)
  while try await !condition() {
    try #require(ContinuousClock.now < deadline, "\(what) did not come")
    try await Task.sleep(for: .milliseconds(2))
  }
}
