package import FileLocks
import Foundation
package import GRDB

/// A verified copy of one snapshot of a database: a single file, without a log, that has not got its name yet.
package struct DatabaseCopy: Sendable {
  package struct Progress: Hashable, Sendable {
    package enum Stage: Sendable { case copying, verifying }
    package let stage: Stage
    /// In pages while copying; one step while verifying.
    package let done: Int
    package let total: Int
  }

  /// 1 MiB of pages of 4 KiB: how much is copied between two looks at whether to go on.
  private static let pagesPerStep: CInt = 256

  package let draft: DraftFile
  package let content: DatabaseContent
  /// Of the file.
  package let bytes: Int64
  /// What is wrong with what the pages hold, in words, as it is in the source: rows without an owner, full text that differs
  /// from its table.
  package let faults: [String]

  /// Copies the snapshot that `source` is reading, through SQLite's own backup, and verifies the copy in a connection of its
  /// own.
  ///
  /// The snapshot makes the copy that of one moment; writers of the source neither wait for it nor make it begin again. The log
  /// of the source grows meanwhile, since none of it can be moved past the snapshot.
  ///
  /// - Parameter source: In a transaction that reads; in a schema of any version.
  /// - Parameter target: The name that `publish` gives the copy. Until then it is `TARGET.partial`, which is removed with the
  ///   value.
  /// - Parameter progress: Called after each 256 pages; an error that it throws ends the copy.
  /// - Throws: `FileError`: `EEXIST` if there is a file of that name, `ENOSPC` if there is no room, and what the file system
  ///   refuses; `StorageError.damaged` if the source is; `DatabaseError`.
  package static func make(
    of source: Database, to target: String, progress: @escaping (Progress) throws -> Void = { _ in }
  ) throws -> DatabaseCopy {
    let content = try DatabaseContent(source)
    let draft = try DraftFile(of: target)
    try FileSystemSpace.require(content.bytes, in: draft.directory, for: "make", target)
    do {
      try copy(source, to: draft, progress)
    } catch let error as DatabaseError {
      guard let failure = FileError(writing: target, error) else { throw error }
      throw failure
    }
    try progress(Progress(stage: .verifying, done: 0, total: 1))
    let faults = try verify(draft, against: content, source)
    try draft.file().sync()
    try progress(Progress(stage: .verifying, done: 1, total: 1))
    return DatabaseCopy(draft: draft, content: content, bytes: try draft.file().status().size, faults: faults)
  }

  /// Gives the copy its name, durably.
  ///
  /// - Throws: `FileError` with `EEXIST` if a file has got that name meanwhile.
  package func publish() throws { try draft.publish() }

  private static func copy(_ source: Database, to draft: DraftFile, _ progress: @escaping (Progress) throws -> Void)
    throws
  {
    let copy = try DatabaseQueue(path: draft.path, configuration: Connector.configuration)
    try copy.writeWithoutTransaction { db in
      // Nothing needs to survive before the whole is synced. Alone on the file, SQLite needs no shared memory for its log.
      try db.execute(sql: "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE")
      try source.backup(to: db, pagesPerStep: pagesPerStep) { now in
        try progress(Progress(stage: .copying, done: now.completedPageCount, total: now.totalPageCount))
      }
      // The first page says that the source has a log; the copy must be whole without one.
      let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
      guard mode == "delete" else {
        throw StorageError.refused(
          pragma: "journal_mode of \(draft.path)", expected: "delete", actual: mode ?? "unknown")
      }
    }
    try copy.close()
  }

  /// Reads the copy back, without locks and without making a file beside it.
  ///
  /// - Returns: What is wrong with what the pages hold.
  private static func verify(
    _ draft: DraftFile, against content: DatabaseContent, _ source: Database
  ) throws -> [String] {
    let copy = try Connector(files: DatabaseFiles(path: draft.path), access: .immutable, timeout: .zero).reading()
    let (found, problems, strays) = try copy.read { db in
      (try DatabaseContent(db), try DatabaseIntegrity.problems(db), try DatabaseIntegrity.strays(db))
    }
    try copy.close()
    if let problem = problems.first {
      // The same pages: the source has it too, or the disk did not keep what was written.
      let isOfSource = try !DatabaseIntegrity.problems(source).isEmpty
      throw StorageError.damaged(path: isOfSource ? try source.path() : draft.path, reason: problem)
    }
    if let difference = found.difference(from: content) {
      throw StorageError.damaged(path: draft.path, reason: "it is no true copy: \(difference)")
    }
    return try DatabaseIntegrity.faults(of: draft.path, strays)
  }
}

extension Database {
  /// The file of the main database.
  fileprivate func path() throws -> String {
    try String.fetchOne(self, sql: "SELECT file FROM pragma_database_list WHERE name = 'main'") ?? ""
  }
}

extension FileError {
  /// Of a file that SQLite could not write; `nil` for any other error.
  package init?(writing path: String, _ error: DatabaseError) {
    switch error.extendedResultCode {
    case .SQLITE_FULL:
      self.init(
        errno: ENOSPC, "make", path, reason: "no room is left for it; free some space, or name a file on another disk")
    case .SQLITE_IOERR_WRITE, .SQLITE_IOERR_TRUNCATE, .SQLITE_IOERR_FSYNC:
      self.init(
        errno: EIO, "write", path,
        reason:
          "the system takes no more (\(error.message ?? "unknown")); look at the disk, a quota, or the limit on the size "
          + "of a file")
    default: return nil
    }
  }
}
