import Foundation
import GRDB
import SQLiteStorage
import TestSupport
import Testing

/// A database of notes, as the tests of this target use it.
let notes = [
  migration("001_notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;")
]

func migration(_ name: String, _ sql: String) -> Migration {
  guard let migration = Migration(name: name, sql: Array(sql.utf8)) else { fatalError("\(name) is no migration name") }
  return migration
}

func configuration(
  migrations: [Migration] = notes, synchronous: WALDatabase.Synchronous = .normal,
  access: WALDatabase.Access = .readWrite, create: Bool = true, readers: Int = 8, busyTimeout: Duration = .seconds(30)
) -> WALDatabase.Configuration {
  WALDatabase.Configuration(
    applicationID: 7, migrations: migrations, synchronous: synchronous, access: access, create: create,
    readers: readers, busyTimeout: busyTimeout, report: { doing, error in Issue.record("\(doing): \(error)") })
}

extension WALDatabase {
  func add(_ text: String) async throws {
    try await write { db in try db.execute(sql: "INSERT INTO notes (text) VALUES (?)", arguments: [text]) }
  }

  func texts() async throws -> [String] {
    try await read { db in try String.fetchAll(db, sql: "SELECT text FROM notes ORDER BY id") }
  }

  /// Holds the commit lock, and SQLite's for writing, while `body` runs.
  func whileWriting<Value>(_ body: () async throws -> Value) async throws -> Value {
    let started = AsyncStream<Void>.makeStream()
    let release = DispatchSemaphore(value: 0)
    async let holding: Void = write { _ in
      started.continuation.finish()
      release.wait()
    }
    for await _ in started.stream {}
    let outcome: Result<Value, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    release.signal()
    try await holding
    return try outcome.get()
  }
}

extension TemporaryDirectory {
  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

  func size(_ name: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: file(name))[.size] as? Int)
  }

  func mode(_ name: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int)
  }

  /// By a process of its own: to open a file that SQLite has open in this one would drop its locks.
  func copy(_ name: String, to other: String) throws {
    let child = try Child(running: "/bin/cp", [file(name), file(other)], in: self)
    try #require(child.wait() == 0)
  }
}

/// A connection that knows nothing of this library and may leave a transaction open.
func otherProgram(_ path: String) throws -> DatabaseQueue {
  var configuration = Configuration()
  configuration.allowsUnsafeTransactions = true
  return try DatabaseQueue(path: path, configuration: configuration)
}

/// The error of a call that must fail.
func failure<Value>(_ body: () async throws -> Value) async -> (any Error)? {
  do { _ = try await body() } catch { return error }
  return nil
}
