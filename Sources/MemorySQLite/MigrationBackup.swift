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
    let steps: Logger.Metadata = ["from": "\(plan.version)", "to": "\(plan.target)"]
    guard let folder else {
      logger.notice("migrating \(plan.path) to another schema, without a backup", metadata: steps)
      return .none
    }
    try PrivateDirectory<FileError>.createWithParents(folder)
    // Of an opening that was killed meanwhile.
    _ = try LeftoverFiles.remove(in: folder)
    // An opening that was killed in the same second may have left one.
    let path = try BackupFolder(folder).freeStem(Self.prefix(of: plan.target), at: clock.now()) + ".sqlite"
    let copy = try plan.copy(to: path)
    logger.notice(
      "migrating \(plan.path) to another schema; a backup is \(path)",
      metadata: steps.merging(["bytes": "\(copy.bytes)"]) { $1 })
    return MigrationSafeguard(keep: { try copy.publish() }, discard: { copy.draft.discard() })
  }

  private static func prefix(of version: Int) -> String {
    let number = String(version)
    return prefix + String(repeating: "0", count: max(0, 3 - number.count)) + number
  }
}
