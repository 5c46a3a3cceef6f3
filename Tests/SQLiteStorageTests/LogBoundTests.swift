import Foundation
import GRDB
import SQLiteStorage
import Synchronization
import TestSupport
import Testing

@Suite struct `The length of the log` {
  private static let text = String(repeating: "x", count: 100_000)
  /// What is left of it when it begins again.
  private static let limit = 17 << 20

  private func write(_ megabytes: Int, to database: WALDatabase, _ name: String) async throws {
    for round in 0..<megabytes * 10 { try await database.add("\(name)\(round)\(Self.text)") }
  }

  @Test func `it shrinks by itself after a reader that stayed long`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    try await database.add("first")
    let reader = try otherProgram(directory.file("db"))
    try reader.inDatabase { db in
      try db.execute(sql: "BEGIN")
      _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM notes")
    }
    try await write(24, to: database, "beside")
    #expect(try directory.size("db-wal") > Self.limit)
    try reader.inDatabase { db in try db.execute(sql: "COMMIT") }
    try await write(1, to: database, "after")
    #expect(try directory.size("db-wal") < Self.limit)
  }

  /// There is always a reader, and none of them stays.
  @Test func `it begins again beside readers that overlap`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    try await database.add("first")
    let readers = try (0..<2).map { _ in try otherProgram(directory.file("db")) }
    @Sendable func begin(_ reader: DatabaseQueue) throws {
      try reader.inDatabase { db in
        if db.isInsideTransaction { try db.execute(sql: "COMMIT") }
        try db.execute(sql: "BEGIN")
        _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM notes")
      }
    }
    let isDone = Flag()
    let reading = Task.detached {
      for turn in 0... {
        if isDone.isSet { break }
        try begin(readers[turn % 2])
        try await Task.sleep(for: .milliseconds(2))
      }
    }
    // By what happens and not by how much was written: on a busy machine a reader may stay longer than the writer waits.
    var longest = 0
    var round = 0
    try await poll("a log that begins again") {
      try await database.add("\(round)\(Self.text)")
      round += 1
      let size = try directory.size("db-wal")
      longest = max(longest, size)
      return longest > Self.limit && size < longest
    }
    isDone.set()
    try await reading.value
    for reader in readers { try reader.inDatabase { db in try db.execute(sql: "COMMIT") } }
  }

  @Test func `many that open, write and close beside one that stays leave it short`() async throws {
    let directory = try TemporaryDirectory()
    let staying = try WALDatabase(path: directory.file("db"), configuration())
    for round in 0..<200 {
      let database = try WALDatabase(path: directory.file("db"), configuration())
      try await database.add("\(round)\(Self.text)")
      try await database.close()
    }
    #expect(try directory.size("db-wal") < Self.limit)
    try await staying.close()
    #expect(!directory.has("db-wal"))
  }
}

/// Told to a task that runs meanwhile.
private final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
