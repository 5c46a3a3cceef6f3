import Foundation
import GRDB

/// Makes a new database under another name, complete and durable, and then gives it its own.
///
/// So nobody ever sees half of one, and a process that is killed leaves either nothing of it or all; what is left under the
/// other name goes with the next attempt.
struct DatabaseCreation {
  let files: DatabaseFiles
  let applicationID: Int32
  let migrator: Migrator

  /// Makes it, unless another process has done so meanwhile. To be called under the commit lock.
  func make() throws {
    if case .present = try files.inspect() { return }
    // An older version that was cut short may have left these beside a file without content. SQLite would take them for
    // those of the new database.
    for leftover in [files.rollbackJournal, files.log, files.logIndex] { try PrivateFiles.remove(leftover) }
    try removeDraft()
    guard let descriptor = try PrivateFiles.make(files.draft) else {
      throw StorageError.system(
        path: files.draft, operation: "making", errno: EEXIST, reason: "another program makes a file of that name")
    }
    do {
      defer { close(descriptor) }
      try build()
      guard fsync(descriptor) == 0 else { throw StorageError.lastSystemError("syncing", files.draft) }
    } catch {
      // Whoever tries next removes what is left.
      try? removeDraft()
      throw error
    }
    guard rename(files.draft, files.path) == 0 else { throw StorageError.lastSystemError("naming", files.path) }
    try PrivateFiles.sync(directory: files.directory)
  }

  private func build() throws {
    let draft = try DatabaseQueue(path: files.draft, configuration: Connector.configuration)
    try draft.writeWithoutTransaction { db in
      // Nothing needs to survive before the whole is synced.
      try db.execute(
        sql: "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA application_id = \(applicationID)")
      try migrator.migrate(db)
      try db.useWriteAheadLog(files.draft)
    }
    // Alone on it: nothing is left in a log.
    try draft.closeLast()
  }

  private func removeDraft() throws {
    for suffix in ["", "-journal", "-wal", "-shm"] { try PrivateFiles.remove(files.draft + suffix) }
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
