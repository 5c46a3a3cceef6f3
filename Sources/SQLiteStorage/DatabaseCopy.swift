package import FileLocks
import Foundation
package import GRDB
import GRDBSQLite

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

  /// Copies one snapshot of `source`, through SQLite's own backup, and verifies the copy in a connection of its own.
  ///
  /// The snapshot makes the copy that of one moment; writers of the source neither wait for it nor make it begin again. The log
  /// of the source grows while pages are copied, since none of it can be moved past the snapshot, and not while they are verified.
  ///
  /// - Parameter source: A connection for this call, in a schema of any version.
  /// - Parameter target: The name that `publish` gives the copy. Until then it is `TARGET.partial`, which is removed with the
  ///   value.
  /// - Parameter progress: Called after each 256 pages, and while the copy is verified; an error that it throws ends the copy.
  /// - Parameter describe: Reads from the same snapshot.
  /// - Throws: `FileError`: `EEXIST` if there is a file of that name, `ENOSPC` if there is no room, and what the file system
  ///   refuses; `StorageError.damaged` if the source is; `DatabaseError`.
  package static func make<Value>(
    of source: DatabaseQueue, to target: String, progress: @escaping (Progress) throws -> Void = { _ in },
    describing describe: (Database) throws -> Value
  ) throws -> (copy: DatabaseCopy, value: Value) {
    let (draft, content, value) = try source.read { db in
      let value = try describe(db)
      let content = try DatabaseContent(db)
      let draft = try DraftFile(of: target)
      try FileSystemSpace.require(content.bytes, in: draft.directory, for: "make", target)
      do {
        try copyPages(of: db, to: draft, progress)
      } catch let error as DatabaseError {
        guard let failure = FileError(writing: target, error) else { throw error }
        throw failure
      }
      return (draft, content, value)
    }
    try progress(Progress(stage: .verifying, done: 0, total: 1))
    let faults = try verify(draft, against: content, source) {
      try progress(Progress(stage: .verifying, done: 0, total: 1))
    }
    try draft.file().sync()
    try progress(Progress(stage: .verifying, done: 1, total: 1))
    let copy = DatabaseCopy(draft: draft, content: content, bytes: try draft.file().status().size, faults: faults)
    return (copy, value)
  }

  /// Gives the copy its name, durably.
  ///
  /// - Throws: `FileError` with `EEXIST` if a file has got that name meanwhile.
  package func publish() throws { try draft.publish() }

  private static func copyPages(
    of source: Database, to draft: DraftFile, _ progress: @escaping (Progress) throws -> Void
  ) throws {
    let copy = try DatabaseQueue(path: draft.path, configuration: Connector.configuration())
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
    _ draft: DraftFile, against content: DatabaseContent, _ source: DatabaseQueue, _ goOn: @escaping () throws -> Void
  ) throws -> [String] {
    let copy = try Connector(files: DatabaseFiles(path: draft.path), access: .immutable, timeout: .zero).reading()
    let (found, problems, strays) = try copy.read { db in
      try db.interruptible(by: goOn) {
        (try DatabaseContent(db), try DatabaseIntegrity.problems(db), try DatabaseIntegrity.strays(db))
      }
    }
    try copy.close()
    if let problem = problems.first {
      // The same pages: the source has it too, or the disk did not keep what was written.
      let isOfSource = try !source.read { db in try DatabaseIntegrity.problems(db) }.isEmpty
      throw StorageError.damaged(path: isOfSource ? source.path : draft.path, reason: problem)
    }
    if let difference = found.difference(from: content) {
      throw StorageError.damaged(path: draft.path, reason: "it is no true copy: \(difference)")
    }
    return try DatabaseIntegrity.faults(of: draft.path, strays, goOn)
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
          "the system takes no more (\(error.reason)); look at the disk, a quota, or the limit on the size "
          + "of a file")
    default: return nil
    }
  }
}

extension DatabaseError {
  /// What SQLite says of it, in words. GRDB asks the target of a copy also when it was the source that failed, which then says
  /// that it has no error.
  package var reason: String {
    func text(_ code: ResultCode) -> String {
      sqlite3_errstr(code.rawValue).map { String(cString: $0) } ?? "SQLite error \(code.rawValue)"
    }
    guard let message, message != text(.SQLITE_OK) else { return text(extendedResultCode) }
    return message
  }
}
