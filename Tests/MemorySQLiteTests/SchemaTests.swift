import EpisodicMemory
import Foundation
import GRDB
import Logging
import TestSupport
import Testing

@testable import MemorySQLite
@testable import SQLiteStorage

@Suite struct `The schema` {
  @Test func `the registered migrations are the files of migrations/memory, in order and byte for byte`() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../migrations/memory")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)).sorted()
    #expect(
      files
        == Schema.migrations.map {
          String(format: "%03d_", $0.version) + $0.description.replacing(" ", with: "_") + ".sql"
        })
    for (file, migration) in zip(files, Schema.migrations) {
      #expect(try String(contentsOf: folder.appending(path: file), encoding: .utf8) == migration.sql)
    }
  }

  @Test func `the digest compared on opening is that of the schema the migrations create`() throws {
    let digest = try SchemaObjects(madeBy: Schema.migrations).digest
    #expect(Schema.digest == digest)
  }

  /// I2: SQLite ignores an invalid pragma, and GRDB's pool resets this one.
  @Test(arguments: Memory.Durability.allCases) func `the chosen durability is in force`(
    _ durability: Memory.Durability
  ) async throws {
    let directory = try TemporaryDirectory()
    let primary = try await SQLitePrimaryStore(
      path: directory.file("memory.sqlite"), durability: durability, logger: Logger(label: "test"))
    let synchronous = try await primary.writeRows { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") }
    #expect(synchronous == (durability == .full ? 2 : 1))
  }
}
