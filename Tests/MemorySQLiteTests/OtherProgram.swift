import EpisodicMemory
import Foundation
import GRDB
import Logging
import SQLiteStorage
import TestSupport

@testable import MemorySQLite

/// Changes a store as another program would, such as the `sqlite3` shell: without the engine's settings, and with foreign
/// keys off unless it enables them.
struct OtherProgram {
  let path: String
  var foreignKeys = false

  func run(_ script: String) throws {
    try access { db in try db.execute(sql: script) }
  }

  func strings(_ sql: String) throws -> [String] {
    try access { db in try String.fetchAll(db, sql: sql) }
  }

  private func access<Value>(_ body: (Database) throws -> Value) throws -> Value {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = foreignKeys
    let connection = try DatabaseQueue(path: path, configuration: configuration)
    let value = try connection.writeWithoutTransaction(body)
    try connection.close()
    return value
  }
}

/// A store in its own directory, opened and closed any number of times.
struct TestStore {
  let directory: TemporaryDirectory
  var path: String { directory.file("memory.sqlite") }
  var otherProgram: OtherProgram { OtherProgram(path: path) }

  static let patternData: JSON = ["use": "a lock"]

  init() throws { directory = try TemporaryDirectory() }

  func open(create: Bool = true) async throws -> SQLitePrimaryStore {
    try await SQLitePrimaryStore(path: path, create: create, logger: Logger(label: "test"))
  }

  /// Opens the store, lends it and closes it.
  func use<Value>(_ body: (SQLitePrimaryStore) async throws -> Value) async throws -> Value {
    let primary = try await open()
    do {
      let value = try await body(primary)
      try await primary.close()
      return value
    } catch {
      try await primary.close()
      throw error
    }
  }

  /// Two episodes with steps and vectors: `a` of the domain `private`, `b` of `public`.
  func fill() async throws {
    try await use { primary in
      _ = try await primary.insert(
        [
          .sample("a", domain: "private", context: "alpha context", steps: ["zebra", "giraffe"]),
          .sample("b", domain: "public", context: "beta context", steps: ["lion"]),
        ],
        embeddings: [.sample("ma", of: "a"), .sample("ms", of: "a", step: "a/1"), .sample("mb", of: "b")],
        existing: .fail)
      let pattern = Pattern(
        id: "p", type: .errorResolution, data: Self.patternData, dataHash: Self.patternData.canonicalHash,
        successRate: nil, usageCount: 0, lastUsed: nil,
        createdAt: Timestamp(milliseconds: 1), metadata: [:])
      _ = try await primary.record(pattern)
      _ = try await primary.link("p", to: "a")
    }
  }
}

extension SQLitePrimaryStore {
  /// The checks that did not pass, by name.
  func failedChecks() async throws -> [String: MemoryCheck.Outcome] {
    let checks = try await check().filter { $0.outcome != .passed }
    return Dictionary(checks.map { ($0.name, $0.outcome) }) { first, _ in first }
  }
}

/// The error that a call throws; `nil` if it throws none.
func failure<Value>(_ body: () async throws -> Value) async -> MemoryError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? MemoryError ?? MemoryError(.unavailable, "not a MemoryError: \(error)")
  }
}

/// The schema of an unchanged store.
enum WholeSchema {
  /// Names and texts of the triggers.
  static func triggers() throws -> [(name: String, sql: String)] {
    let database = try DatabaseQueue()
    return try database.writeWithoutTransaction { db in
      for migration in Schema.migrations { try migration.run(db) }
      return try Row.fetchAll(db, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").map {
        (name: $0[0], sql: $0[1])
      }
    }
  }
}
