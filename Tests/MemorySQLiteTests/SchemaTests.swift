import EpisodicMemory
import Foundation
import Logging
import SQLiteStorage
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `The schema` {
  @Test func `the registered migrations are the files of migrations/memory, in order and to the letter`() throws {
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
}
