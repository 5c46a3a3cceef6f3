import EpisodicMemory
import Foundation
import GRDB
import Logging
import SQLiteStorage
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `A backup of an earlier schema` {
  @Test(arguments: 4..<Schema.migrations.count)
  func `is restored, migrated, and stays a backup of the store that it was made of`(_ version: Int) async throws {
    let earlier = try await EarlierStore(version: version)
    let directory = try TemporaryDirectory()
    let backup = directory.file("earlier.sqlite")
    try FileManager.default.copyItem(atPath: earlier.store.path, toPath: backup)
    // The store goes on, migrated.
    try FileManager.default.copyItem(atPath: earlier.store.path, toPath: directory.file("memory.sqlite"))
    let primary = try await SQLitePrimaryStore(path: directory.file("memory.sqlite"), logger: .init(label: "test"))
    let identity = primary.identity
    try await primary.close()
    let key = try digestKey(directory)

    let verification = try BackupVerification(verifying: backup)
    #expect(verification.isPassed && !verification.matchesManifest && verification.schemaVersion == version)
    let report = try StoreRestore(
      directory: directory.path, options: RestoreOptions(), receipts: { [] }, progress: { _ in }
    ).run(backup)
    #expect(report.schemaVersion == version && report.kept.count == 1)
    let restored = try await SQLitePrimaryStore(path: directory.file("memory.sqlite"), logger: .init(label: "test"))
    #expect(restored.identity != identity)
    #expect(try await restored.statistics().schemaVersion == Schema.migrations.count)
    for check in try await restored.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await restored.close()
    #expect(try digestKey(directory) == key, "receipts stay verifiable")
    // Once more: the store has another identity by now, and knows who it was.
    _ = try StoreRestore(directory: directory.path, options: RestoreOptions(), receipts: { [] }, progress: { _ in })
      .run(backup)
  }

  private func digestKey(_ directory: TemporaryDirectory) throws -> Data? {
    let database = try DatabaseQueue(path: directory.file("memory.sqlite"))
    defer { try? database.close() }
    return try database.read { db in try Data.fetchOne(db, sql: "SELECT digest_key FROM store") }
  }
}
