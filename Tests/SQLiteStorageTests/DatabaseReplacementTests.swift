import FileLocks
import Foundation
import GRDB
import SQLiteStorage
import TestSupport
import Testing

@Suite struct `Replacing a database` {
  /// The files of a directory that begin so, with their content.
  private func files(_ prefix: String, _ directory: TemporaryDirectory) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasPrefix(prefix) }
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: URL(filePath: directory.file($0)))) })
  }

  private func replacement(_ directory: TemporaryDirectory) -> DatabaseReplacement {
    DatabaseReplacement(
      path: directory.file("db"), applicationID: 7, tables: ["notes", "schema_version"], timeout: .seconds(5))
  }

  /// A database that cannot be read, with a log.
  private func damage(_ directory: TemporaryDirectory) throws {
    try Data(repeating: 0xA5, count: 8192).write(to: URL(filePath: directory.file("db")))
    try Data(repeating: 7, count: 4096).write(to: URL(filePath: directory.file("db-wal")))
  }

  private func prepare(_ directory: TemporaryDirectory) async throws -> DraftFile {
    let database = try WALDatabase(path: directory.file("new"), configuration())
    try await database.add("new")
    try await database.close()
    let draft = try DraftFile(of: directory.file("old"))
    try Data(contentsOf: URL(filePath: directory.file("new"))).withUnsafeBytes { try draft.file().append($0) }
    return draft
  }

  @Test func `a damaged database and its log are kept together`() async throws {
    let directory = try TemporaryDirectory()
    try damage(directory)
    let before = try files("db", directory)
    let outcome = try replacement(directory).replace(with: try await prepare(directory)) {}
    #expect(outcome.damage != nil && outcome.kept == [directory.file("old"), directory.file("old-wal")])
    let kept = try files("old", directory)
    #expect(kept == ["old": before["db"], "old-wal": before["db-wal"]].compactMapValues(\.self))
    #expect(!directory.has("db-wal"))
    let database = try WALDatabase(path: directory.file("db"), configuration())
    #expect(try await database.texts() == ["new"])
    try await database.close()
  }

  @Test func `a damaged database stays with its log if the new one cannot take its place`() async throws {
    let directory = try TemporaryDirectory()
    try damage(directory)
    let before = try files("db", directory)
    let draft = try await prepare(directory)
    #expect(throws: FileError.self) {
      // The file that is to get the name is gone.
      try replacement(directory).replace(with: draft) { unlink(draft.path) }
    }
    #expect(try files("db", directory).filter { $0.key != "db-lock" } == before)
    #expect(try files("old", directory).isEmpty)
  }
}
