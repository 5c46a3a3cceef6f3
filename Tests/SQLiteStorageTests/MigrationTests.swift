import FileLocks
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite struct `A migration of a database` {
  private static let later = [
    notes[0], migration("002_authors", "ALTER TABLE notes ADD COLUMN author TEXT;"),
    migration("003_marks", "CREATE TABLE marks (id INTEGER PRIMARY KEY) STRICT; INSERT INTO marks VALUES (1);"),
  ]

  @Test func `that fails in the last step leaves the schema of before, and calls the safeguard back`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("notes.sqlite")
    let old = try WALDatabase(path: path, configuration())
    try await old.add("kept")
    try await old.close()
    let calls = Recorder()
    var newer = configuration(
      migrations: Self.later + [migration("004_wrong", "INSERT INTO notes (id, text) VALUES (1, 'another');")])
    newer.safeguard = { plan in
      calls.add("\(plan.version) to \(plan.target)")
      return MigrationSafeguard(keep: { calls.add("keep") }, discard: { calls.add("discard") })
    }
    #expect(throws: DatabaseError.self) { try WALDatabase(path: path, newer) }
    #expect(calls.all == ["1 to 4", "discard"])
    let again = try WALDatabase(path: path, configuration())
    #expect(try await again.texts() == ["kept"])
    try await again.close()
    newer.migrations = Self.later
    let migrated = try WALDatabase(path: path, newer)
    #expect(calls.all.suffix(2) == ["1 to 3", "keep"])
    #expect(try await migrated.texts() == ["kept"])
    try await migrated.close()
    _ = try WALDatabase(path: path, newer)
    #expect(calls.all.count == 4)
  }

  @Test func `is not committed if the safeguard cannot be kept`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("notes.sqlite")
    try await WALDatabase(path: path, configuration()).close()
    var newer = configuration(migrations: Self.later)
    newer.safeguard = { _ in
      MigrationSafeguard(keep: { throw FileError(.kind, "a test refuses it") }, discard: {})
    }
    #expect(throws: FileError.self) { try WALDatabase(path: path, newer) }
    _ = try WALDatabase(path: path, configuration())
  }

  @Test func `is copied as it was before, also if another connection reads it`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("notes.sqlite")
    let old = try WALDatabase(path: path, configuration())
    try await old.add("kept")
    var newer = configuration(migrations: Self.later)
    newer.safeguard = { plan in
      let (copy, texts) = try plan.copy(to: directory.file("copy.sqlite")) { db in
        try String.fetchAll(db, sql: "SELECT text FROM notes")
      }
      #expect(texts == ["kept"])
      return MigrationSafeguard(keep: { try copy.publish() }, discard: {})
    }
    let migrated = try WALDatabase(path: path, newer)
    let copy = try WALDatabase(path: directory.file("copy.sqlite"), configuration())
    #expect(try await copy.texts() == ["kept"])
    try await copy.close()
    try await migrated.close()
    try await old.close()
  }

  @Test func `by a newer build stops the writes of an older one that has it open, and none of its reads`() async throws
  {
    let directory = try TemporaryDirectory()
    let path = directory.file("notes.sqlite")
    let old = try WALDatabase(path: path, configuration())
    try await old.add("before")
    let newer = try WALDatabase(path: path, configuration(migrations: Self.later))
    await #expect {
      try await old.add("too late")
    } throws: {
      guard case StorageError.newer(_, version: 3, known: 1) = $0 else { return false }
      return true
    }
    #expect(try await old.texts() == ["before"])
    try await newer.add("after")
    #expect(try await newer.texts() == ["before", "after"])
    try await newer.close()
    try await old.close()
  }
}

private final class Recorder: Sendable {
  private let lines = Mutex<[String]>([])
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}
