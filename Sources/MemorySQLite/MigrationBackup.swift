import EpisodicMemory
import FileLocks
import GRDB
import Logging
import SQLiteStorage

/// The verified copy of a store that is made before its schema is migrated, `before-schema-011-20261127T031500Z.sqlite`: without
/// it there is no way back, since a build refuses a store of a newer one.
///
/// It gets its name just before the migration is committed, so that one that fails leaves none.
struct MigrationBackup: Sendable {
  /// Where it goes; `nil` for none.
  let folder: String?
  let clock: any WallClock
  let logger: Logger

  static let prefix = "before-schema-"

  /// - Throws: `FileError` if it cannot be made; `StorageError.damaged` if the database is damaged. Then nothing is migrated.
  func make(_ plan: MigrationPlan) throws -> MigrationSafeguard {
    let event: Logger.Metadata = [
      "event": "primary.migrating", "path": "\(plan.path)", "from": "\(plan.version)", "to": "\(plan.target)",
    ]
    guard let folder else {
      logger.notice("migrating \(plan.path) to another schema, without a backup", metadata: event)
      return .none
    }
    try PrivateDirectory<FileError>.createWithParents(folder)
    // Of an opening that was killed meanwhile.
    _ = try LeftoverFiles.remove(in: folder)
    // An opening that was killed in the same second may have left one.
    let now = clock.now()
    let path = try BackupFolder(folder).freeStem(Self.prefix(of: plan.target), at: now) + ".sqlite"
    let (copy, origin) = try plan.copy(to: path) { db in try Origin(db) }
    let manifest = BackupManifest(
      createdAt: now, store: origin.store, schemaVersion: copy.content.schemaVersion, revision: origin.revision,
      compression: .none, bytes: copy.bytes, fileBytes: copy.bytes,
      sha256: try BackupFile.digest(of: copy.draft.file()), rows: copy.content.rows, faults: copy.faults)
    logger.notice(
      "migrating \(plan.path) to another schema; a backup is \(path)",
      metadata: event.merging(["bytes": "\(copy.bytes)"]) { $1 })
    return MigrationSafeguard {
      // Before the copy, which has a manifest from the moment on that it has its name.
      try manifest.write(beside: path)
      do {
        try copy.publish()
      } catch {
        BackupManifest.remove(beside: path)
        throw error
      }
    } discard: {
      copy.draft.discard()
    }
  }

  /// What a manifest says of the store, as far as an earlier schema knows it.
  private struct Origin {
    /// Empty before schema 4.
    var store = ""
    var revision: Int64 = 0

    init(_ db: Database) throws {
      guard try db.tableExists("store"), try db.tableExists("changes") else { return }
      store = try String.fetchOne(db, sql: "SELECT uuid FROM store") ?? ""
      revision = try ChangeFeed.highestRevision(db)
    }
  }

  private static func prefix(of version: Int) -> String {
    let number = String(version)
    return prefix + String(repeating: "0", count: max(0, 3 - number.count)) + number
  }
}
