import FileLocks
import Foundation
import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// Puts a backup in the place of a ledger.
struct LedgerRestore {
  let directory: String
  let now: Timestamp
  let busyTimeout: Duration

  /// 1 MiB.
  private static let pieceBytes = 1 << 20

  func run(_ backup: String) throws -> Ledger.Restored {
    let ledger = directory + "/" + Ledger.fileName
    let folder = LedgerBackupFolder(besideLedger: ledger)
    // Before it is opened: closing it would drop the locks that SQLite holds on it in this process (I5).
    for suffix in ["-wal", "-shm", "-journal"] where try FileStatus(of: backup + suffix) != nil {
      throw MemoryError(
        .conflict,
        "\(backup) is in use, or its program was killed: there is \(backup)\(suffix); back up that ledger instead")
    }
    guard let file = try OpenFile<FileError>.reading(backup) else {
      throw MemoryError(.notFound, "there is no backup \(backup)")
    }
    try PrivateDirectory<FileError>.createWithParents(directory)
    try PrivateDirectory<FileError>.createWithParents(folder.path)
    let draft = try DraftFile(of: folder.freeName("ledger-replaced", at: now))
    let size = try file.status().size
    try FileSystemSpace.require(size, in: draft.directory, for: "restore into", directory)
    try Self.copy(file, into: draft)
    let configuration = WALDatabase.Configuration(
      applicationID: LedgerSchema.applicationID, migrations: LedgerSchema.migrations,
      schemaDigest: LedgerSchema.digest, report: { _, _ in })
    let prepared = DatabaseDraft(draft, from: backup, configuration)
    let findings = try prepared.verify()
    let uuid = Identifier<Ledger>.generate(at: now).rawValue
    try prepared.prepare { db in
      try db.execute(sql: "UPDATE ledger SET uuid = ?", arguments: [uuid])
      try db.execute(sql: "UPDATE runs SET episode_id = NULL WHERE episode_id IS NOT NULL")
    }
    let outcome = try DatabaseReplacement(
      path: ledger, applicationID: LedgerSchema.applicationID, tables: ["tasks", "runs", "schema_version"],
      timeout: busyTimeout
    ).replace(with: draft) {}
    return Ledger.Restored(
      backup: backup, kept: outcome.kept, damage: outcome.damage, rows: findings.content.rows)
  }

  private static func copy(_ file: OpenFile<FileError>, into draft: DraftFile) throws {
    let target = try draft.file()
    var done = 0
    while true {
      let piece = try file.read(pieceBytes, at: done)
      guard !piece.isEmpty else { return }
      try target.append(piece)
      done += piece.count
    }
  }
}
