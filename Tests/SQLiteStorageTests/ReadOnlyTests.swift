import Foundation
import GRDB
import SQLiteStorage
import TestSupport
import Testing

@Suite struct `A database that is only read` {
  private func snapshot(_ directory: TemporaryDirectory) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: URL(filePath: directory.file($0)))) })
  }

  @Test func `it answers, makes and changes no file, and takes no write`() async throws {
    let directory = try TemporaryDirectory()
    let made = try WALDatabase(path: directory.file("db"), configuration())
    try await made.add("x")
    try await made.close()
    let before = try snapshot(directory)
    let database = try WALDatabase(path: directory.file("db"), configuration(access: .readOnly))
    #expect(try await database.texts() == ["x"])
    #expect(try database.commitStamp() == database.commitStamp())
    let error = await failure { try await database.add("y") }
    guard case StorageError.readOnly? = error as? StorageError else {
      Issue.record("\(String(describing: error))")
      return
    }
    try await database.close()
    #expect(try snapshot(directory) == before)
  }

  @Test func `beside a writer it shows what was committed`() async throws {
    let directory = try TemporaryDirectory()
    let writer = try WALDatabase(path: directory.file("db"), configuration())
    try await writer.add("1")
    let reader = try WALDatabase(path: directory.file("db"), configuration(access: .readOnly))
    #expect(try await reader.texts() == ["1"])
    let mark = try reader.commitStamp()
    try await writer.add("2")
    #expect(try await reader.texts() == ["1", "2"])
    #expect(try reader.commitStamp() != mark)
    try await reader.close()
    try await writer.close()
    #expect(!directory.has("db-wal"))
  }

  /// Without locks nobody keeps a writer away.
  @Test func `when another process begins to write it, it fails rather than mix two states`() async throws {
    let directory = try TemporaryDirectory()
    try await WALDatabase(path: directory.file("db"), configuration()).close()
    let reader = try WALDatabase(path: directory.file("db"), configuration(access: .readOnly))
    #expect(try await reader.texts().isEmpty)
    let writer = try WALDatabase(path: directory.file("db"), configuration())
    try await writer.add("new")
    let error = await failure { try await reader.texts() }
    guard case StorageError.replaced? = error as? StorageError else {
      Issue.record("\(String(describing: error))")
      return
    }
    let again = try WALDatabase(path: directory.file("db"), configuration(access: .readOnly))
    #expect(try await again.texts() == ["new"])
    try await writer.close()
  }

  @Test func `none is made, and an older one is not migrated`() async throws {
    let directory = try TemporaryDirectory()
    let missing = await failure {
      try await WALDatabase.open(path: directory.file("a/db"), configuration(access: .readOnly))
    }
    guard case StorageError.missing? = missing as? StorageError else {
      Issue.record("\(String(describing: missing))")
      return
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    try await WALDatabase(path: directory.file("db"), configuration()).close()
    let second = notes + [migration("002_more", "CREATE TABLE more (x INTEGER) STRICT;")]
    let older = await failure {
      try await WALDatabase.open(path: directory.file("db"), configuration(migrations: second, access: .readOnly))
    }
    guard case StorageError.older(_, version: 1, known: 2)? = older as? StorageError else {
      Issue.record("\(String(describing: older))")
      return
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may write everywhere; the command line tests mount a read-only file system"))
  func `without the right to write it is opened so, with the reason`() async throws {
    let directory = try TemporaryDirectory()
    let made = try WALDatabase(path: directory.file("db"), configuration())
    try await made.add("x")
    try await made.close()
    try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: directory.path)
    defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory.path) }
    let database = try WALDatabase(path: directory.file("db"), configuration())
    #expect(database.readOnlyReason?.contains(directory.path) == true)
    #expect(try await database.texts() == ["x"])
  }
}
