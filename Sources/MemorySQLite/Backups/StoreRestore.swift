package import EpisodicMemory
import FileLocks
import Foundation
import GRDB
import SQLiteStorage

/// Puts a backup in the place of a store, which is kept.
///
/// What takes the place is made whole before: unpacked, verified, migrated, with an identity of its own, and with the erasures that
/// came after the backup done again. It is made in the folder of backups, under the name that the old store will be kept by, so
/// that one exchange of names is all that happens to the store; see `DatabaseReplacement`.
package struct StoreRestore: Sendable {
  /// Absolute, without symbolic links.
  private let directory: String
  private let options: RestoreOptions
  private let progress: @Sendable (BackupProgress) throws -> Void

  private var primary: String { directory + "/memory.sqlite" }
  private var folder: BackupFolder { BackupFolder(besidePrimary: primary) }

  /// - Parameter directory: Of the store, there or not: absolute, without symbolic links.
  /// - Parameter progress: Called between two steps; an error that it throws ends the restore before anything was changed.
  package init(
    directory: String, options: RestoreOptions, progress: @escaping @Sendable (BackupProgress) throws -> Void
  ) {
    self.directory = directory
    self.options = options
    self.progress = progress
  }

  /// Restores a backup.
  ///
  /// - Parameter path: Of its file; `~` and `~/...` are in the home directory.
  package func run(_ path: String) throws(MemoryError) -> RestoreReport {
    let path = try BackupTarget.absolute(path)
    let file = try BackupFile(path)
    try refuseOwnFile(file)
    let current = currentLineage()
    do {
      return options.isDryRun ? try rehearse(file, current) : try restore(file, current)
    } catch {
      throw MemoryError(readingBackup: error, path: path)
    }
  }

  /// The database of the store itself must not be opened but by SQLite (I5).
  private func refuseOwnFile(_ file: BackupFile) throws(MemoryError) {
    do {
      guard let own = try FileStatus(of: primary)?.identity, try own == file.identity else { return }
    } catch {
      throw MemoryError(backup: error)
    }
    throw MemoryError(.invalid, "\(file.backup.path) is the store itself; name a backup")
  }

  /// `nil` if there is no store, or none that can be read: it can be replaced by anything.
  private func currentLineage() -> StoreLineage? {
    try? DatabaseDraft.read(primary, timeout: options.busyTimeout) { db in try StoreLineage(db) }
  }

  private func refuseOther(_ lineage: StoreLineage, than current: StoreLineage?, _ path: String) throws(MemoryError) {
    guard let current, !options.acceptsOtherStore, !lineage.isRelated(to: current) else { return }
    throw MemoryError(
      .conflict,
      "\(path) is a backup of another store (\(lineage.uuid)) than the one in \(directory) (\(current.uuid)); name "
        + "another directory, or allow it with the option acceptsOtherStore")
  }

  // MARK: Without changing anything

  private func rehearse(_ file: BackupFile, _ current: StoreLineage?) throws -> RestoreReport {
    let verification = try BackupVerification(verifying: file.backup.path, progress: progress)
    if let problem = verification.problems.first { throw MemoryError(.corrupted, problem) }
    if file.compression == .none {
      let (_, lineage) = try DatabaseDraft.inspect(file.backup.path, Schema.configuration) { db in try StoreLineage(db)
      }
      try refuseOther(lineage, than: current, file.backup.path)
    }
    let isThere = try FileStatus(of: primary) != nil
    return RestoreReport(
      backup: file.backup, directory: directory, isDryRun: true,
      kept: isThere ? [try folder.freeStem("replaced", at: options.clock.now()) + ".sqlite"] : [],
      damage: isThere && current == nil ? "\(primary) cannot be read" : nil,
      matchesManifest: verification.matchesManifest, schemaVersion: verification.schemaVersion,
      rows: verification.rows, faults: verification.faults, erasures: 0)
  }

  // MARK: In earnest

  private func restore(_ file: BackupFile, _ current: StoreLineage?) throws -> RestoreReport {
    try PrivateDirectory<FileError>.createWithParents(directory)
    try folder.make()
    let now = options.clock.now()
    let draft = try DraftFile(of: folder.freeStem("replaced", at: now) + ".sqlite")
    try unpack(file, into: draft)
    let prepared = DatabaseDraft(draft, from: file.backup.path, Schema.configuration)
    let findings = try prepared.verify()
    if let manifest = file.backup.manifest,
      let difference = DatabaseContent.difference(of: findings.content.rows, from: manifest.rows)
    {
      throw StorageError.damaged(path: file.backup.path, reason: "\(difference), as its manifest says")
    }
    let lineage = try DatabaseDraft.read(draft.path, timeout: options.busyTimeout) { db in try StoreLineage(db) }
    try refuseOther(lineage, than: current, file.backup.path)
    try report(.migrating, 0)
    try prepared.prepare { _ in }
    let receipts = try FileStatus(of: folder.path + "/" + Self.receipts)
    let erasures = try RestoredErasures.replay(at: draft.path, receiptsIn: folder)
    try prepared.prepare { db in try lineage.renew(db, replacing: current, at: now) }
    try report(.verifying, 0)
    let last = try prepared.verify()
    try report(.exchanging, 0)
    let outcome = try DatabaseReplacement(
      path: primary, applicationID: Schema.applicationID, timeout: options.busyTimeout
    ).replace(with: draft) {
      guard try FileStatus(of: folder.path + "/" + Self.receipts) == receipts else {
        throw MemoryError(.conflict, "something was erased from \(directory) during the restore; restore again")
      }
    }
    return RestoreReport(
      backup: file.backup, directory: directory, isDryRun: false, kept: outcome.kept, damage: outcome.damage,
      matchesManifest: file.backup.manifest != nil, schemaVersion: findings.content.schemaVersion,
      rows: findings.content.rows, faults: last.faults, erasures: erasures)
  }

  /// The receipts of erasures, in the folder of backups.
  private static let receipts = "receipts.jsonl"

  private func unpack(_ file: BackupFile, into draft: DraftFile) throws {
    let manifest = file.backup.manifest
    if let manifest {
      let difference = try file.difference(from: manifest) { done, total in
        try progress(BackupProgress(stage: .verifying, done: done, total: total))
      }
      if let difference { throw StorageError.damaged(path: file.backup.path, reason: difference) }
    }
    let bytes = manifest?.bytes ?? file.backup.fileBytes
    try FileSystemSpace.require(bytes, in: folder.path, for: "restore into", directory)
    try file.unpack(into: draft) { done, _ in
      try progress(BackupProgress(stage: .copying, done: done, total: Int(clamping: bytes)))
    }
  }

  private func report(_ stage: BackupProgress.Stage, _ done: Int) throws {
    try progress(BackupProgress(stage: stage, done: done, total: 1))
  }
}
