package import FileLocks
import Foundation
import GRDB

/// Puts a prepared database in the place of a store's, which is kept under another name.
///
/// At every moment the name leads to a whole database, the old one or the new one. Before the two exchange their names the old one
/// has everything in its file, and has neither log nor log index: SQLite would take those for the new one's.
///
/// Processes that have the old database open keep its files. Their `FileGuard` reports it: reads within 100 ms, commits always,
/// since the exchange happens under the commit lock. A program without that guard, such as the `sqlite3` shell, goes on with
/// files that have no name any more.
package struct DatabaseReplacement {
  /// What became of the old database.
  package struct Outcome: Hashable, Sendable {
    /// Where it is kept, and its log if it has one; empty if there was none.
    package var kept: [String] = []
    /// Why it could only be moved aside; `nil` if it was whole.
    package var damage: String?
  }

  private let files: DatabaseFiles
  private let lock: CommitLock
  private let applicationID: Int32
  private let tables: Set<String>
  private let deadline: Deadline

  /// - Parameter path: Of the database that is replaced, there or not; its directory must exist.
  /// - Parameter tables: What every database of the application has, and none of another: it tells one whose id is damaged.
  /// - Parameter timeout: Of each wait for processes that commit or read.
  package init(path: String, applicationID: Int32, tables: Set<String>, timeout: Duration) {
    files = DatabaseFiles(path: path)
    lock = CommitLock(files)
    self.applicationID = applicationID
    self.tables = tables
    deadline = .after(timeout)
  }

  /// Exchanges them.
  ///
  /// - Parameter prepared: A whole database without a log. Its target is the name that the old one will be kept by.
  /// - Parameter validate: Called under the commit lock, before anything is changed.
  /// - Throws: `StorageError.locked` if a process commits or reads beyond the timeout; `.foreign` if another application's file or
  ///   no file has the name; `FileError`. The old database is in its place then.
  package func replace(with prepared: DraftFile, validate: () throws -> Void) throws -> Outcome {
    try lock.withLock(timeout: deadline.remaining) {
      try validate()
      guard let old = try oldDatabase() else { return try takeFreePlace(prepared) }
      try prepared.file().setMode(old.mode & 0o777)
      do {
        return try replaceWhole(prepared)
      } catch let error as DatabaseError where error.isDamage {
        return try replaceDamaged(prepared, because: error.reason)
      }
    }
  }

  /// The old database; `nil` if there is none, or nothing in it.
  ///
  /// - Throws: If what has the name, or that of its log, is no file: a link would lead elsewhere.
  private func oldDatabase() throws -> FileStatus? {
    for path in [files.path, files.log, files.logIndex, files.rollbackJournal] {
      guard let status = try FileStatus(of: path) else { continue }
      switch status.kind {
      case .regular: break
      case .symbolicLink: throw FileError.link(path)
      case .directory, .other:
        throw StorageError.foreign(path: path, reason: "it is not a regular file; name another directory")
      }
    }
    guard let status = try FileStatus(of: files.path), status.size > 0 else { return nil }
    return status
  }

  // MARK: A database that is whole

  private func replaceWhole(_ prepared: DraftFile) throws -> Outcome {
    let connector = Connector(files: files, access: .readWrite, timeout: deadline.remaining)
    let connection = try connector.writing()
    let damage = try connection.writeWithoutTransaction { db in
      let damage = try damageOfID(db)
      // Ended without a change.
      defer { if db.isInsideTransaction { try? db.rollback() } }
      try emptyLog(db)
      try exchange(prepared)
      return damage
    }
    // It leaves the names alone: the file that it has open has another one now.
    try connection.close()
    return Outcome(kept: [prepared.target], damage: damage)
  }

  /// What is wrong with the application id, in words; `nil` if nothing is.
  ///
  /// - Throws: `StorageError.foreign` for the database of another application.
  private func damageOfID(_ db: Database) throws -> String? {
    let found = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    guard found != applicationID else { return nil }
    let names = try Set(String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'"))
    if found == 0, names.isEmpty { return nil }
    guard tables.isSubset(of: names) else {
      throw StorageError.foreign(
        path: files.path, reason: "its application id is \(found); name another directory")
    }
    return "its application id was \(found), not \(applicationID)"
  }

  /// Moves all of the log into the database, and begins a transaction, which holds off programs that commit without the lock of this
  /// library.
  private func emptyLog(_ db: Database) throws {
    let isEmpty = try deadline.poll { () throws -> Bool in
      guard try Bool.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)") == false else { return false }
      try db.beginTransaction(.immediate)
      let size = try FileStatus(of: files.log)?.size ?? 0
      if size == 0 { return true }
      // Another program has committed in between.
      try db.rollback()
      return false
    }
    guard isEmpty else {
      throw StorageError.locked(path: files.path, milliseconds: Int(deadline.patience.nanoseconds / 1_000_000))
    }
  }

  private func exchange(_ prepared: DraftFile) throws {
    try removeLog()
    try OpenFile<FileError>.directory(files.directory).sync()
    try prepared.publish()
    do {
      try FileRename.exchange(files.path, prepared.target)
    } catch {
      unlink(prepared.target)
      throw FileError(
        errno: error.number, "restore into", files.directory,
        reason: "\(error.message); the folder of backups must be on the file system of the store, and that a local one")
    }
    // A process that opened the old database in between has made them again. It has committed nothing: this holds the lock.
    try removeLog()
    for directory in [files.directory, prepared.directory] { try OpenFile<FileError>.directory(directory).sync() }
  }

  private func removeLog() throws {
    for path in [files.logIndex, files.log] { try DatabaseFiles.remove(path) }
  }

  // MARK: Others

  /// Moves a database aside as it is, with its log, which may hold all that is left.
  ///
  /// The two stay together: both have their other name before one loses the first.
  private func replaceDamaged(_ prepared: DraftFile, because reason: String) throws -> Outcome {
    var outcome = Outcome(damage: reason)
    let names = [("", files.path), ("-wal", files.log), ("-journal", files.rollbackJournal)]
    do {
      for (suffix, path) in names where try FileStatus(of: path)?.size ?? 0 > 0 {
        let name = prepared.target + suffix
        guard link(path, name) == 0 else { throw FileError.last("keep as \(name)", path) }
        outcome.kept.append(name)
      }
      try OpenFile<FileError>.directory(prepared.directory).sync()
      try removeLog()
      try DatabaseFiles.remove(files.rollbackJournal)
      try OpenFile<FileError>.directory(files.directory).sync()
      try prepared.publish(over: files.path)
    } catch {
      // As it was. What cannot be put back stays under its other name.
      for (suffix, path) in names where outcome.kept.contains(prepared.target + suffix) {
        if link(prepared.target + suffix, path) == 0 || errno == EEXIST { unlink(prepared.target + suffix) }
      }
      throw error
    }
    // A process that opened the old one in between has made them again. It has committed nothing: this holds the lock.
    try removeLog()
    try OpenFile<FileError>.directory(files.directory).sync()
    return outcome
  }

  private func takeFreePlace(_ prepared: DraftFile) throws -> Outcome {
    var outcome = Outcome()
    outcome.kept = try setLogAside(as: prepared.target)
    if !outcome.kept.isEmpty { outcome.damage = "the database was gone, and its log was left" }
    try removeLog()
    // An empty file, which holds nothing.
    try DatabaseFiles.remove(files.path)
    try prepared.publish(as: files.path)
    return outcome
  }

  /// Gives the log and the rollback journal, if they hold anything, names that go with another one of their database.
  ///
  /// - Returns: The names.
  private func setLogAside(as name: String) throws -> [String] {
    var kept: [String] = []
    for (path, suffix) in [(files.log, "-wal"), (files.rollbackJournal, "-journal")] {
      guard let status = try FileStatus(of: path) else { continue }
      guard status.size > 0 else {
        try DatabaseFiles.remove(path)
        continue
      }
      try FileRename.exclusive(path, to: name + suffix)
      kept.append(name + suffix)
    }
    return kept
  }
}

extension DatabaseError {
  /// Whether the file itself is the reason.
  fileprivate var isDamage: Bool {
    resultCode == .SQLITE_CORRUPT || resultCode == .SQLITE_NOTADB || extendedResultCode == .SQLITE_IOERR_SHORT_READ
  }
}
