import FileLocks
import Foundation

/// The files of one database, by their names, and their state as far as it can be read without SQLite.
///
/// The database and its log are never opened here (I5), only examined with `lstat`.
struct DatabaseFiles: Sendable {
  /// What there is under the database's name.
  enum Content: Equatable {
    case missing
    /// No bytes, and nothing beside it that belongs to it: a first opening by an older version that was cut short, or a file
    /// that has lost everything.
    case empty
    case present(FileStatus)
  }

  /// Of the database: absolute, so that SQLite never takes it for a URI.
  let path: String
  var log: String { path + "-wal" }
  var logIndex: String { path + "-shm" }
  var rollbackJournal: String { path + "-journal" }
  var lock: String { path + "-lock" }
  /// Held by the process that maintains the database.
  var maintenanceLock: String { path + "-maintenance" }
  /// Of a log whose database was replaced by another program.
  var foreignLog: String { path + "-wal-of-replaced" }
  /// Where a new database is built, before it gets its name.
  var draft: String { path + "-new" }
  var directory: String { (path as NSString).deletingLastPathComponent }

  init(path: String) {
    self.path = URL(filePath: path).path(percentEncoded: false)
  }

  /// Refuses what must not be opened: links, what is no file, and a log whose database is gone.
  ///
  /// Cost: four `lstat`.
  func inspect() throws -> Content {
    // The log first: meanwhile another process may give a new database its name, and then write a log.
    let log = try Self.file(log)
    _ = try Self.file(logIndex)
    let journal = try Self.file(rollbackJournal)
    let database = try Self.file(path)
    if let database, database.size > 0 {
      guard database.nameCount == 1 else { throw StorageError.severalNames(path: path, count: database.nameCount) }
      return .present(database)
    }
    let loss = database == nil ? "it is gone" : "it is empty"
    if let log, log.size > 0 {
      throw StorageError.damaged(
        path: path, reason: "\(loss), but \(self.log) still holds data: keep that file and restore a backup")
    }
    if let journal, journal.size > 0, try !isOfCreation() {
      throw StorageError.damaged(
        path: path, reason: "\(loss), but \(rollbackJournal) is that of a database with content: restore a backup")
    }
    return database == nil ? .missing : .empty
  }

  /// Whether the rollback journal was written while the database was made: it says that there were no pages before, or it was
  /// not yet valid. No lock of SQLite is on this file, so it may be read.
  private func isOfCreation() throws -> Bool {
    let file = FileHandle(forReadingAtPath: rollbackJournal)
    defer { try? file?.close() }  // Read only: nothing is lost with a close that fails.
    guard let header = try file?.read(upToCount: 20) else { return true }
    // www.sqlite.org/fileformat.html#the_rollback_journal: 8 bytes of magic, and the number of pages before at 16.
    let magic: [UInt8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]
    guard header.count == 20, header.prefix(8).elementsEqual(magic) else { return true }
    return header.suffix(4).allSatisfy { $0 == 0 }
  }

  /// Whether there is no log: then no process has the database open.
  func isAlone() throws -> Bool {
    try FileStatus(of: log) == nil && FileStatus(of: rollbackJournal) == nil
  }

  /// Removes a file that may be missing. A symbolic link is removed itself, not what it names.
  static func remove(_ path: String) throws(FileError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .last("remove", path) }
  }

  private static func file(_ path: String) throws -> FileStatus? {
    guard let status = try FileStatus(of: path) else { return nil }
    switch status.kind {
    case .regular: return status
    case .symbolicLink: throw FileError.link(path)
    case .directory, .other:
      throw StorageError.foreign(path: path, reason: "it is not a regular file; name another directory")
    }
  }
}
