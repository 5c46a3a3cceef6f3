package import EpisodicMemory
import FileLocks
import Foundation
import GRDB
import SQLiteStorage
import StoreRows

/// Puts a backup in the place of a store, which is kept.
///
/// What takes the place is made whole before: unpacked, verified, migrated, with an identity of its own, and with the erasures that
/// came after the backup done again. It is made in the folder of backups, under the name that the old store will be kept by, so
/// that one exchange of names is all that happens to the store; see `DatabaseReplacement`.
package struct StoreRestore: Sendable {
  /// Absolute, without symbolic links.
  private let directory: String
  private let options: RestoreOptions
  /// Reads the receipts that are kept beside the backups.
  private let keptReceipts: @Sendable () throws(MemoryError) -> [StoredReceipt]
  private let progress: @Sendable (BackupProgress) throws -> Void

  private var primary: String { directory + "/memory.sqlite" }
  private var folder: BackupFolder { BackupFolder(besidePrimary: primary) }

  /// - Parameter directory: Of the store, there or not: absolute, without symbolic links.
  /// - Parameter receipts: Reads the receipts of erasures that are kept beside the backups.
  /// - Parameter progress: Called between two steps; an error that it throws ends the restore before anything was changed.
  package init(
    directory: String, options: RestoreOptions,
    receipts: @escaping @Sendable () throws(MemoryError) -> [StoredReceipt],
    progress: @escaping @Sendable (BackupProgress) throws -> Void
  ) {
    self.directory = directory
    self.options = options
    keptReceipts = receipts
    self.progress = progress
  }

  /// Restores a backup.
  ///
  /// - Parameter path: Of its file; `~` and `~/...` are in the home directory.
  package func run(_ path: String) throws(MemoryError) -> RestoreReport {
    let path = try BackupPlace.absolute(path)
    try refuseOwnFile(path)
    let file = try BackupFile(path)
    do {
      let current = try currentStore()
      return options.isDryRun ? try rehearse(file, current) : try restore(file, current)
    } catch {
      throw MemoryError(readingBackup: error, path: path)
    }
  }

  /// The database of the store itself must not be opened but by SQLite (I5).
  private func refuseOwnFile(_ path: String) throws(MemoryError) {
    do throws(FileError) {
      guard let own = try FileStatus(of: primary)?.identity,
        try own == FileStatus(of: path, followingLinks: true)?.identity
      else { return }
    } catch {
      throw MemoryError(backup: error)
    }
    throw MemoryError(.invalid, "\(path) is the store itself; name a backup")
  }

  /// The store that is to be replaced.
  private struct CurrentStore {
    let lineage: StoreLineage
    let receipts: [StoredReceipt]
    let destroyedKeys: [DomainKey]
  }

  /// `nil` if there is no store, or one that is damaged: it can be replaced by anything.
  ///
  /// - Throws: What may pass: a disk that fails, or a lock. The store may then be another one, or have receipts.
  private func currentStore() throws -> CurrentStore? {
    do {
      return try DatabaseDraft.read(primary, timeout: options.busyTimeout) { db in
        let lineage = try StoreLineage(db)
        return CurrentStore(
          lineage: lineage, receipts: try ErasureRow.stored(db), destroyedKeys: try DomainKeyRow.destroyed(db))
      }
    } catch let error as DatabaseError
      where [.SQLITE_IOERR, .SQLITE_BUSY, .SQLITE_NOMEM].contains(error.resultCode)
      && error.extendedResultCode != .SQLITE_IOERR_SHORT_READ
    {
      throw MemoryError(storage: error, path: primary)
    } catch {
      return nil
    }
  }

  private func refuseOther(_ lineage: StoreLineage, than current: CurrentStore?, _ path: String) throws(MemoryError) {
    guard let current = current?.lineage, !options.acceptsOtherStore, !lineage.isRelated(to: current) else { return }
    throw MemoryError(
      .conflict,
      "\(path) is a backup of another store (\(lineage.uuid)) than the one in \(directory) (\(current.uuid)); name "
        + "another directory, or allow it with the option acceptsOtherStore")
  }

  // MARK: Without changing anything

  private func rehearse(_ file: BackupFile, _ current: CurrentStore?) throws -> RestoreReport {
    let now = options.clock.now()
    let isThere = try FileStatus(of: primary) != nil
    let kept = isThere ? [try folder.freeStem("replaced", at: now) + ".sqlite"] : []
    let damage = isThere && current == nil ? "\(primary) cannot be read" : nil
    if file.compression == .none {
      let verification = try BackupVerification(verifying: file.backup.path, progress: progress)
      if let problem = verification.problems.first { throw MemoryError(.corrupted, problem) }
      let (_, (lineage, known)) = try DatabaseDraft.inspect(file.backup.path, Schema.configuration) { db in
        (try StoreLineage(db), Set(try ErasureRow.stored(db).map(\.receipt.id)))
      }
      try refuseOther(lineage, than: current, file.backup.path)
      if try receipts(beside: file, of: lineage, current).allSatisfy({ known.contains($0.receipt.id) }) {
        return RestoreReport(
          backup: file.backup, directory: directory, isDryRun: true, kept: kept, damage: damage,
          matchesManifest: verification.matchesManifest, schemaVersion: verification.schemaVersion,
          rows: verification.rows, faults: try verification.faults + receiptFaults(beside: file), erasures: 0)
      }
    }
    // What is erased again, and what a compressed file holds, is seen in a draft.
    let hasFolder = try FileStatus(of: folder.path)?.kind == .directory
    let temporary = NSTemporaryDirectory()
    let place = hasFolder ? folder.path : temporary.hasSuffix("/") ? String(temporary.dropLast()) : temporary
    let draft = try DraftFile(of: "\(place)/rehearsed-\(UUID().uuidString).sqlite")
    defer { draft.discard() }
    let prepared = try prepare(file, in: draft, current, at: now)
    return RestoreReport(
      backup: file.backup, directory: directory, isDryRun: true, kept: kept, damage: damage,
      matchesManifest: file.backup.manifest != nil, schemaVersion: prepared.schemaVersion, rows: prepared.rows,
      faults: try prepared.faults + receiptFaults(beside: file), erasures: prepared.erasures)
  }

  // MARK: In earnest

  private func restore(_ file: BackupFile, _ current: CurrentStore?) throws -> RestoreReport {
    let missing = try missingDirectories()
    do {
      return try replace(by: file, current)
    } catch {
      // Those that have something in them stay.
      for path in missing { rmdir(path) }
      throw error
    }
  }

  /// The directories that a restore makes, the innermost first.
  private func missingDirectories() throws(FileError) -> [String] {
    var missing: [String] = []
    var path = folder.path
    while path.count > 1, try FileStatus(of: path) == nil {
      missing.append(path)
      path = (path as NSString).deletingLastPathComponent
    }
    return missing
  }

  private func replace(by file: BackupFile, _ current: CurrentStore?) throws -> RestoreReport {
    try PrivateDirectory<FileError>.createWithParents(directory)
    try folder.make()
    let now = options.clock.now()
    let draft = try DraftFile(of: folder.freeStem("replaced", at: now) + ".sqlite")
    let prepared = try prepare(file, in: draft, current, at: now)
    try report(.exchanging, 0)
    let outcome = try DatabaseReplacement(
      path: primary, applicationID: Schema.applicationID, tables: ["episodes", "schema_version", "steps"],
      timeout: options.busyTimeout
    ).replace(with: draft) {
      let found = try currentStore()
      // A disk that fails now and then: the store may be another one, or have receipts.
      guard (found == nil) == (current == nil) else {
        throw MemoryError(
          .unavailable,
          "the store in \(directory) could be read at one moment of the restore and not at another; look at the disk, and "
            + "restore again")
      }
      // An erasure commits under the lock that is held here.
      guard found?.receipts.map(\.receipt.id) == current?.receipts.map(\.receipt.id) else {
        throw MemoryError(.conflict, "something was erased from \(directory) during the restore; restore again")
      }
    }
    // The new store forgets the same when one of its backups is restored. Not before it is the store: maintenance erases from the
    // store that is there what these receipts name. It has them itself, and adds them if this process is killed here.
    try ReceiptFile(in: folder.path).add(prepared.receipts)
    return RestoreReport(
      backup: file.backup, directory: directory, isDryRun: false, kept: outcome.kept, damage: outcome.damage,
      matchesManifest: file.backup.manifest != nil, schemaVersion: prepared.schemaVersion, rows: prepared.rows,
      faults: try prepared.faults + receiptFaults(beside: file), erasures: prepared.erasures)
  }

  /// What takes the place of a store.
  private struct PreparedStore {
    /// Of the backup.
    let schemaVersion: Int
    let rows: [String: Int]
    let faults: [String]
    let receipts: [StoredReceipt]
    let erasures: Int
  }

  /// Makes what takes the place of the store: unpacked, verified, migrated, with what was erased later erased, and a new identity.
  private func prepare(
    _ file: BackupFile, in draft: DraftFile, _ current: CurrentStore?, at now: Timestamp
  ) throws -> PreparedStore {
    try unpack(file, into: draft)
    let prepared = DatabaseDraft(draft, from: file.backup.path, Schema.configuration)
    let findings = try prepared.verify { try report(.verifying, 0) }
    if let manifest = file.backup.manifest,
      let difference = DatabaseContent.difference(of: findings.content.rows, from: manifest.rows)
    {
      throw StorageError.damaged(path: file.backup.path, reason: "\(difference), as its manifest says")
    }
    let (lineage, end) = try DatabaseDraft.read(draft.path, timeout: options.busyTimeout) { db in
      (try StoreLineage(db), try ChangeFeed.watermark(db))
    }
    try refuseOther(lineage, than: current, file.backup.path)
    try report(.migrating, 0)
    try prepared.prepare { _ in }
    let receipts = try receipts(beside: file, of: lineage, current)
    // What is in a copy was not created after it, whatever time an import gave it.
    let erasures = try repeatErasures(
      receipts, in: draft, at: min(now, file.backup.createdAt), later: receiptsOfLater(current, end))
    let audit = try AuditPolicy(options.audit, clock: options.clock)
    try prepared.prepare { db in
      try lineage.renew(db, replacing: current?.lineage, at: now)
      let keys = try DomainKeyRow.destroy(current?.destroyedKeys ?? [], at: now, db)
      let log = try audit.begin(db)
      log?.note(AuditVerb.restore, in: nil, ["erasures": erasures, "keys": keys])
      try log?.write(db)
    }
    try report(.verifying, 0)
    let last = try prepared.verify { try report(.verifying, 0) }
    return PreparedStore(
      schemaVersion: findings.content.schemaVersion, rows: (erasures > 0 ? last : findings).content.rows,
      faults: last.faults, receipts: receipts, erasures: erasures)
  }

  /// What cannot be read of receipts, in words.
  private func receiptFaults(beside file: BackupFile) throws(MemoryError) -> [String] {
    let own = try ReceiptFile(in: folder.path).faults()
    return try own + ReceiptFile(beside: file.backup.path).faults().filter { !own.contains($0) }
  }

  /// What was erased from the store of a backup, in the order of the erasures: by the receipts in the store that is there, by those
  /// beside its backups, and by those beside the file.
  private func receipts(
    beside file: BackupFile, of lineage: StoreLineage, _ current: CurrentStore?
  ) throws(MemoryError) -> [StoredReceipt] {
    var relatives: Set<String> = []
    if let other = current?.lineage, lineage.isRelated(to: other) { relatives = Set([other.uuid] + other.ancestors) }
    var elsewhere = try ReceiptFile(beside: file.backup.path).receipts()
    if let current = current?.lineage {
      // What was erased from another store that was restored from the same backup was not erased from this one.
      let line = Set([lineage.uuid, current.uuid] + lineage.ancestors + current.ancestors)
      elsewhere.removeAll { !line.contains($0.store.rawValue) }
    }
    // One whose process was killed before it was kept is in the store alone.
    let all = try keptReceipts() + elsewhere + (current?.receipts ?? [])
    var known: Set<ErasureReceipt.ID> = []
    return try ErasureReplay.related(all, to: lineage, relatives, known: current?.lineage.key.map(Array.init))
      .filter { known.insert($0.receipt.id).inserted }
      .sorted { $0.receipt.erasedAt < $1.receipt.erasedAt }
  }

  /// The erasures of the store that is replaced, if the backup is the beginning of its history: one that the backup does not have was
  /// made after it.
  ///
  /// - Parameter end: The last change of the backup. No other history has it.
  private func receiptsOfLater(_ current: CurrentStore?, _ end: Watermark) throws -> Set<ErasureReceipt.ID> {
    guard let current, !current.receipts.isEmpty, end != .beginning,
      try DatabaseDraft.read(primary, timeout: options.busyTimeout, { db in try ChangeFeed.isInHistory(end, db) })
    else { return [] }
    return Set(current.receipts.map(\.receipt.id))
  }

  /// Erases in a draft what was erased from the store after the backup.
  ///
  /// - Returns: How many erasures were done again.
  private func repeatErasures(
    _ receipts: [StoredReceipt], in draft: DraftFile, at now: Timestamp, later: Set<ErasureReceipt.ID>
  ) throws(MemoryError) -> Int {
    let report = try ErasureReplay.run(
      receipts, at: draft.path, relatives: Set(receipts.map(\.store.rawValue)), now: now, later: later,
      auditing: options.audit, key: options.key, clock: options.clock)
    return report.receipts.count
  }

  private func unpack(_ file: BackupFile, into draft: DraftFile) throws {
    let manifest = file.backup.manifest
    if let manifest {
      let difference = try file.difference(from: manifest) { done, total in
        try progress(BackupProgress(stage: .verifying, done: done, total: total))
      }
      if let difference { throw StorageError.damaged(path: file.backup.path, reason: difference) }
    }
    let bytes = manifest?.bytes ?? file.backup.fileBytes
    try FileSystemSpace.require(bytes, in: draft.directory, for: "restore into", directory)
    try file.unpack(into: draft) { done, _ in
      try progress(BackupProgress(stage: .copying, done: done, total: Int(clamping: bytes)))
    }
  }

  private func report(_ stage: BackupProgress.Stage, _ done: Int) throws {
    try progress(BackupProgress(stage: stage, done: done, total: 1))
  }
}
