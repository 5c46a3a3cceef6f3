package import EpisodicMemory
import FileLocks
import Foundation
import Gzip
import GRDB
import SQLiteStorage
import StoreRows

extension SQLitePrimaryStore {
  package func backUp(
    to destination: String?, _ options: BackupOptions, at now: Timestamp,
    progress: @escaping @Sendable (BackupProgress) -> Void
  ) async throws(MemoryError) -> Backup {
    let target = try BackupTarget(destination, own: ownFolder)
    if case .file(let path) = target, options.keep != nil || options.keepFor != nil {
      throw MemoryError(
        .invalid, "\(path) is a file, and backups are kept in a folder; name a directory, or say nothing of keeping")
    }
    if destination != nil, let own = ownFolder { try target.requireFound(fromStoreOf: own) }
    do {
      let receipts: ReceiptFile?
      let (path, plain, compression): (String, String, Backup.Compression)
      switch target {
      case .folder(let folder):
        try folder.make(isOwn: destination == nil)
        receipts = destination == nil ? nil : ReceiptFile(in: folder.path, isOwn: false)
        let stem = try folder.freeStem("memory", at: now)
        (plain, compression) = (stem + ".sqlite", options.compression)
        path = compression == .gzip ? plain + ".gz" : plain
      case .file(let file):
        receipts = ReceiptFile(beside: file)
        // A compressed file is made from a plain one, which lies beside it meanwhile.
        (path, compression) = (file, file.hasSuffix(".gz") ? .gzip : options.compression)
        plain = compression == .gzip ? BackupName.stem(of: file) + ".sqlite" : file
      }
      if let receipts { try await keepReceipts(receipts) }
      let backup = try await backUp(to: path, by: plain, compression, at: now, progress)
      // Of what was erased meanwhile.
      if let receipts { try await keepReceipts(receipts) }
      return backup
    } catch {
      throw explainedOfBackup(error)
    }
  }

  package func obstacle(toBackup options: BackupOptions) async throws(MemoryError) -> String? {
    guard let disk = growth.disk else { return nil }
    let bytes = try await readRows { db in try DatabaseContent.bytes(db) }
    // A compressed file is made from a plain one.
    let needed = options.compression == .none ? bytes : bytes &+ bytes / 3
    do throws(FileError) {
      return try disk.shortage(for: needed).map { "a backup needs \(needed) bytes, and \($0)" }
    } catch {
      throw MemoryError(storage: error, path: database.path)
    }
  }

  package func backups(in directory: String?) async throws(MemoryError) -> [Backup] {
    guard case .folder(let folder) = try BackupTarget(directory, own: ownFolder) else {
      throw MemoryError(.invalid, "\(directory ?? "") is no directory; name one with backups")
    }
    return try folder.backups()
  }

  package func pruneBackups(
    in directory: String?, _ options: BackupOptions, at now: Timestamp
  ) async throws(MemoryError) -> [Backup] {
    guard case .folder(let folder) = try BackupTarget(directory, own: ownFolder) else { return [] }
    if directory == nil {
      do { _ = try LeftoverFiles.remove(in: folder.path) } catch {
        throw MemoryError(storage: error, path: folder.path)
      }
    }
    let lineage = try await readRows { db in try StoreLineage(db) }
    // Elsewhere a backup of an earlier identity may be that of another store, which was restored from the same backup.
    return try folder.prune(
      options, of: Set([lineage.uuid] + (directory == nil ? lineage.ancestors : [])), isOwn: directory == nil, at: now)
  }

  /// Copies elsewhere are restored without the store: what was erased from older ones is told beside them.
  private func keepReceipts(_ file: ReceiptFile) async throws {
    try file.add(try await readRows { db in try ErasureRow.stored(db) })
  }

  /// `nil` in memory.
  private var ownFolder: BackupFolder? {
    database.isInFile ? BackupFolder(besidePrimary: database.path) : nil
  }

  private func backUp(
    to path: String, by plain: String, _ compression: Backup.Compression, at now: Timestamp,
    _ progress: @escaping @Sendable (BackupProgress) -> Void
  ) async throws -> Backup {
    try BackupManifest.requireNone(beside: path)
    // Made first, so that whoever looks for copies sees the name that this one will have.
    let compressed = path == plain ? nil : try DraftFile(of: path)
    let (copy, (store, revision)) = try await database.copy(to: plain) { now in
      progress(BackupProgress(stage: now.stage == .copying ? .copying : .verifying, done: now.done, total: now.total))
    } describing: { db in
      (try String.fetchOne(db, sql: "SELECT uuid FROM store") ?? "", try ChangeFeed.highestRevision(db))
    }
    return try await BlockingWork.shared.run(orThrow: CancellationError() as any Error) { cancellation in
      func goOn(_ stage: BackupProgress.Stage, _ done: Int, _ total: Int) throws {
        if cancellation.isCancelled { throw CancellationError() }
        progress(BackupProgress(stage: stage, done: done, total: total))
      }
      if let compressed {
        try Self.compress(copy.draft, into: compressed) { done, total in try goOn(.compressing, done, total) }
      }
      let draft = compressed ?? copy.draft
      let file = try draft.file()
      let manifest = BackupManifest(
        createdAt: now, store: store, schemaVersion: copy.content.schemaVersion, revision: revision,
        compression: compression, bytes: copy.bytes, fileBytes: try file.status().size,
        sha256: try BackupFile.digest(of: file) { done, total in try goOn(.verifying, done, total) },
        rows: copy.content.rows, faults: copy.faults)
      // Before the backup, which has a manifest from the moment on that it has its name.
      try manifest.write(beside: path)
      do {
        try draft.publish()
      } catch {
        BackupManifest.remove(beside: path)
        throw error
      }
      copy.draft.discard()
      return Backup(
        path: path, kind: BackupName(String(path.split(separator: "/").last ?? ""))?.kind ?? .backup, createdAt: now,
        fileBytes: manifest.fileBytes, manifest: manifest)
    }
  }

  /// Compresses a draft into another one, and reads that back.
  private static func compress(
    _ draft: DraftFile, into compressed: DraftFile, _ progress: (_ done: Int, _ total: Int) throws -> Void
  ) throws {
    let source = try draft.file()
    var writer = try GzipWriter(compressed.file())
    try BackupFile.forEachPiece(of: source, progress) { piece in try writer.write(piece) }
    try writer.finish()
    try compressed.file().sync()
    let digest = try BackupFile.digest(of: source)
    guard try BackupFile.digest(ofContentOf: compressed.file()) == digest else {
      throw GzipError.damaged(path: compressed.path, reason: "it does not hold what was written; look at the disk")
    }
  }

  /// What the target is to blame for, as the caller's; damage of the store makes it refuse writes.
  private func explainedOfBackup(_ error: any Error) -> MemoryError {
    if let error = error as? FileError { return MemoryError(backup: error) }
    return explained(error)
  }
}

extension BackupFolder {
  /// Makes the folder if there is none; one that a person named may be reached through links and belong to others.
  fileprivate func make(isOwn: Bool) throws(FileError) {
    if isOwn { try make() } else { try PrivateDirectory<FileError>.createWithParents(path) }
  }
}

extension MemoryError {
  /// Of the file of a backup: what the caller can do about it.
  init(backup error: FileError) {
    let code: Code =
      switch error.code {
      case .busy: .busy
      case .kind, .link: .invalid
      case .owner: .unavailable
      case .system:
        switch error.number {
        case EEXIST: .conflict
        case ENOENT, ENOTDIR, ENAMETOOLONG: .invalid
        default: .unavailable
        }
      }
    self.init(code, error.message, cause: error)
  }
}
