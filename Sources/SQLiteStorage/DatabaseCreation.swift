import FileLocks
import Foundation
import GRDB

/// Makes a new database under another name, complete and durable, and then gives it its own.
///
/// So no process sees half of one, and a process that is killed leaves either nothing of it or all; the next attempt
/// removes what is left under the other name.
struct DatabaseCreation {
  let files: DatabaseFiles
  let applicationID: Int32
  let migrator: Migrator

  /// Creates it, unless another process has done so meanwhile. To be called under the commit lock.
  func make() throws {
    if case .present = try files.inspect() { return }
    // An older version that was cut short may have left these beside a file without content. SQLite would take them for
    // those of the new database.
    for leftover in [files.rollbackJournal, files.log, files.logIndex] { try DatabaseFiles.remove(leftover) }
    try removeDraft()
    guard let draft = try OpenFile<FileError>.create(files.draft) else {
      throw FileError(errno: EEXIST, "create", files.draft, reason: "another program makes a file of that name")
    }
    do {
      try build()
      try draft.sync()
    } catch {
      // The next attempt removes what is left.
      try? removeDraft()
      throw error
    }
    guard rename(files.draft, files.path) == 0 else { throw FileError.last("name", files.path) }
    try OpenFile<FileError>.directory(files.directory).sync()
  }

  private func build() throws {
    let draft = try DatabaseQueue(path: files.draft, configuration: Connector.configuration())
    try draft.writeWithoutTransaction { db in
      // Nothing needs to survive before the whole is synced. Free pages can be given back a few at a time only if that is set
      // before there is a table.
      try db.execute(
        sql: """
          PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;
          PRAGMA application_id = \(applicationID);
          """)
      try migrator.migrate(db)
      try db.useWriteAheadLog(files.draft)
    }
    // Alone on it: nothing is left in a log.
    try draft.closeLast()
  }

  private func removeDraft() throws {
    for suffix in ["", "-journal", "-wal", "-shm"] { try DatabaseFiles.remove(files.draft + suffix) }
  }
}

extension Database {
  /// Sets WAL mode, which stays with the file.
  func useWriteAheadLog(_ path: String) throws {
    let mode = try String.fetchOne(self, sql: "PRAGMA journal_mode = WAL")
    guard mode == "wal" else {
      throw StorageError.refused(pragma: "journal_mode of \(path)", expected: "wal", actual: mode ?? "unknown")
    }
  }
}
