import FileLocks
import Foundation
package import GRDB

/// Maintenance of a database's files, on the writer's connection under the commit lock.
package struct FileMaintenance: Sendable {
  /// What was given back, or why nothing could be.
  package enum Outcome: Sendable, Hashable {
    case done(bytes: Int)
    /// A reader or a writer is in the way.
    case busy
  }

  /// A log of fewer bytes stays: the next commits need it.
  package static let shortLog: Int64 = 4 << 20

  let files: DatabaseFiles
  let writer: GroupCommit
  let fileGuard: FileGuard

  /// Moves the log into the database file and truncates it to nothing, without waiting for readers.
  ///
  /// The writer's own checkpoints bound what is to be moved to the frames since the last of them, so this holds writers up for
  /// as long as one of those.
  ///
  /// - Parameter limit: A log of fewer bytes stays as it is.
  package func shrinkLog(longerThan limit: Int64) async throws -> Outcome {
    let before = try FileStatus(of: files.log)?.size ?? 0
    guard before > limit else { return .done(bytes: 0) }
    let isBusy = try await writer.exclusively(guardedTruncation)
    let after = try FileStatus(of: files.log)?.size ?? 0
    return isBusy == false ? .done(bytes: Int(clamping: before - after)) : .busy
  }

  package func isLogLonger(than limit: Int64) throws -> Bool { try FileStatus(of: files.log)?.size ?? 0 > limit }

  /// As `shrinkLog`, of a log that is not short, without waiting for it. A reader that is in the way keeps the log as it is, until
  /// it grows again.
  func shrinkLogSoon() {
    // Sizes only: an error of the file system is met by the next commit.
    guard let size = try? FileStatus(of: files.log)?.size, size > Self.shortLog else { return }
    writer.submitExclusively(guardedTruncation, then: { _ in })
  }

  /// `truncateLog` of files that are still the database's.
  private var guardedTruncation: @Sendable (Database, BusyHandler) throws -> Bool {
    { [fileGuard] db, busy in
      try fileGuard.verify(db)
      return try Self.truncateLog(db, busy)
    }
  }

  /// Without waiting for readers.
  ///
  /// - Returns: Whether a reader was in the way.
  static func truncateLog(_ db: Database, _ busy: BusyHandler) throws -> Bool {
    try busy.limited(to: .zero) { try truncateLog(db) }
  }

  /// Truncates the log, and begins it again with one page of the schema.
  ///
  /// The header of a log counts how often it began again. A connection that had no part in that counts from zero, and then a
  /// process that has not read the log since it opened the database could not tell this checkpoint from a file that another
  /// program wrote over. So the connection that truncates writes the header too.
  ///
  /// - Returns: Whether a reader was in the way.
  static func truncateLog(_ db: Database) throws -> Bool {
    guard try Bool.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)") == false else { return true }
    try db.inTransaction(.immediate) {
      let mark = try Int64.fetchOne(db, sql: "PRAGMA user_version") ?? 0
      try db.execute(sql: "PRAGMA user_version = \(mark)")
      return .commit
    }
    return false
  }

  /// Writes the database again without free pages, and with the setting that lets `incremental_vacuum` give pages back later.
  /// Writers wait; readers do not. Needs as much free space as the database has bytes, twice.
  package func vacuum() async throws -> Outcome {
    let before = try FileStatus(of: files.path)?.size ?? 0
    try requireRoom(for: before)
    let isBusy = try await writer.exclusively { [fileGuard] db, busy in
      try fileGuard.verify(db)
      try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
      try db.vacuumThroughFile()
      return try Self.truncateLog(db, busy)
    }
    guard isBusy != nil else { return .busy }
    let after = try FileStatus(of: files.path)?.size ?? 0
    return .done(bytes: Int(clamping: max(before - after, 0)))
  }

  /// VACUUM would find out by itself, after it has filled the disk.
  private func requireRoom(for bytes: Int64) throws {
    let free = try FileSystemSpace(of: files.directory).free
    // A copy in a temporary file, and the log with all its pages.
    let (needed, exceeds) = bytes.multipliedReportingOverflow(by: 2)
    guard free == .max || !exceeds && free > needed else {
      throw FileError(
        errno: ENOSPC, "vacuum", files.path,
        reason: "\(files.directory) has \(free) bytes left and \(needed) are needed; free some space")
    }
  }

  /// Removes what a process left that was killed while it made a file beside the database or in another folder.
  ///
  /// - Returns: How many files.
  package func removeTemporaryFiles(andIn folder: String) throws -> Int {
    try Self.removeLeftovers(in: files.directory) + Self.removeLeftovers(in: folder)
  }

  private static func removeLeftovers(in directory: String) throws(FileError) -> Int {
    do throws(FileError) {
      return try LeftoverFiles.remove(in: directory).count
    } catch {
      // Another user's folder is left to that user.
      if error.code == .owner { return 0 }
      throw error
    }
  }
}

extension Database {
  /// Writes the database again without free pages. The copy is made in a file: it is as large as the database.
  package func vacuumThroughFile() throws {
    try execute(sql: "PRAGMA temp_store = DEFAULT")
    defer { try? execute(sql: "PRAGMA temp_store = MEMORY") }  // Only speed depends on it.
    try execute(sql: "VACUUM")
  }
}
