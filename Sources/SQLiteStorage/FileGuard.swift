import CSQLite
import FileLocks
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// Detects that another program removed, replaced, renamed, cut short or wrote over a file of the open database.
///
/// SQLite goes on with the files that it has open, whatever becomes of their names: a commit would be acknowledged into a
/// file that no name leads to.
///
/// Not detected: bytes that another program changes in place, without SQLite, in the log after its first 32 bytes, in
/// its index, or in the database file at the very moment of a checkpoint.
final class FileGuard: Sendable {
  /// The database file when it was last known to be written by SQLite alone.
  private struct Seen {
    var size: Int64
    var modified: Int64
    var header: [UInt8]
    var log: episodic_log_state
  }

  private struct State {
    var seen: Seen?
    /// Never taken back: what was lost does not come back.
    var verdict: StorageError?
    /// Whether another database is under the name, to which the log does not belong.
    var isForeign = false
  }

  /// Milliseconds after which a read detects a replaced file at the latest.
  private static let interval: Int64 = 100

  private let files: DatabaseFiles
  private let database: FileStatus
  /// `nil` for a file that did not exist, and must not be created by others.
  private let log: FileIdentity?
  private let logIndex: FileIdentity?
  /// Whether the database is read without locks, so that any change of the file ends it.
  private let isImmutable: Bool
  private let state = Mutex(State())
  private let nextLook: Atomic<Int64>

  /// Takes the files as they are; while a connection has them open no other SQLite removes them.
  init(_ files: DatabaseFiles, database: FileStatus, isImmutable: Bool, _ db: Database) throws {
    self.files = files
    self.database = database
    self.isImmutable = isImmutable
    log = try FileStatus(of: files.log)?.identity
    logIndex = try FileStatus(of: files.logIndex)?.identity
    nextLook = Atomic(CoarseClock.milliseconds &+ Self.interval)
    // Before the file is examined: a checkpoint in between makes the file seem older than it is, which does no harm.
    var log = episodic_log_state()
    let hasLog = !isImmutable && episodic_log_state_read(db.sqliteConnection, &log) == SQLITE_OK
    // Between the first examination of the file and its opening another one may have taken its place.
    let (current, _) = try requireNames()
    if hasLog { state.withLock { $0.seen = Self.seen(current, log, db) } }
  }

  /// Refuses to read from a file that is not the store's any more. Examines the names at most every 100 ms.
  ///
  /// Cost: reading a coarse clock, nanoseconds; every 100 ms, three `lstat`.
  func verifyNowAndThen() throws {
    let now = CoarseClock.milliseconds
    let due = nextLook.load(ordering: .relaxed)
    guard now >= due else { return }
    // After a verdict every call examines.
    if due == 0 { return try verify() }
    guard nextLook.compareExchange(expected: due, desired: now &+ Self.interval, ordering: .relaxed).exchanged else {
      return
    }
    try verify()
  }

  /// The database is closed, and others may remove its log.
  func retire() { nextLook.store(.max, ordering: .relaxed) }

  /// Without locks a read counts only if the file is unchanged, before and after it.
  func verifyBeforeRead() throws { try isImmutable ? verify() : verifyNowAndThen() }

  func verifyAfterRead() throws { if isImmutable { try verify() } }

  /// - Throws: `StorageError.replaced`.
  func verify() throws {
    try remember { try requireNames() }
  }

  /// Refuses to commit into files that are not the store's any more, or to move such a log into the database.
  ///
  /// To be called under the commit lock, inside a transaction or before a checkpoint.
  ///
  /// Cost: one `lstat`, two reads of an identity, and one read of the open log.
  func verify(_ db: Database) throws {
    try remember {
      var log = episodic_log_state()
      let code = episodic_log_state_read(db.sqliteConnection, &log)
      let (current, logSize) = try requireNames()
      // The name still leads to the log that SQLite has open, so its size is that of the open file.
      guard code == SQLITE_OK, log.is_log_current, logSize >= log.log_size else {
        throw StorageError.replaced(path: files.log, what: "was cut short or written over")
      }
      try state.withLock { state in
        guard let seen = state.seen else { return state.seen = Self.seen(current, log, db) }
        if current.size != seen.size || current.modified != seen.modified {
          // Another program's checkpoint may have come after the log was first read.
          var again = log
          episodic_log_state_read(db.sqliteConnection, &again)
          if log.isWithoutCheckpoint(since: seen.log) && again.isWithoutCheckpoint(since: seen.log) {
            state.isForeign = Self.header(db) != seen.header
            throw StorageError.replaced(path: files.path, what: "was changed by something other than SQLite")
          }
          state.seen = Self.seen(current, log, db)
        } else {
          state.seen?.log = log
        }
      }
    }
  }

  /// Whether the log that this process has open is left beside a database which took the place of its own. To be called before
  /// its connections are closed: afterwards a log of the other database may get the same number.
  func leavesForeignLog() throws -> Bool {
    guard state.withLock({ $0.isForeign }), let log else { return false }
    return try FileStatus(of: files.log)?.identity == log
  }

  /// Renames such a log, so that SQLite never merges the two. To be called when the connections of this process are closed.
  func setAsideForeignLog() throws {
    guard let log, try FileStatus(of: files.log)?.identity == log else { return }
    // Beside an empty file the log stays: that is damage, and the log may hold all that is left.
    guard let database = try FileStatus(of: files.path), database.size > 0 else { return }
    guard rename(files.log, files.foreignLog) == 0 else { throw FileError.last("rename", files.log) }
    if try FileStatus(of: files.logIndex)?.identity == logIndex { try DatabaseFiles.remove(files.logIndex) }
  }

  private static func seen(_ file: FileStatus, _ log: episodic_log_state, _ db: Database) -> Seen {
    Seen(size: file.size, modified: file.modified, header: header(db), log: log)
  }

  /// Empty if it cannot be read: then it differs from any before.
  private static func header(_ db: Database) -> [UInt8] {
    var header = episodic_database_header()
    guard episodic_database_header_read(db.sqliteConnection, &header) == SQLITE_OK else { return [] }
    return withUnsafeBytes(of: header) { Array($0) }
  }

  private func remember(_ body: () throws -> Void) throws {
    if let verdict = state.withLock({ $0.verdict }) { throw verdict }
    do {
      try body()
    } catch let error as StorageError {
      if case .replaced = error {
        state.withLock { $0.verdict = error }
        nextLook.store(0, ordering: .relaxed)
      }
      throw error
    }
  }

  @discardableResult
  private func requireNames() throws -> (database: FileStatus, logSize: Int64) {
    guard let current = try FileStatus(of: files.path) else {
      throw StorageError.replaced(path: files.path, what: "was removed or renamed")
    }
    guard current.identity == database.identity else {
      state.withLock { $0.isForeign = true }
      throw StorageError.replaced(path: files.path, what: "was replaced")
    }
    if isImmutable, current.size != database.size || current.modified != database.modified {
      throw StorageError.replaced(path: files.path, what: "was written by another program")
    }
    let logSize = try requireSame(files.log, log)
    _ = try requireSame(files.logIndex, logIndex)
    return (current, logSize)
  }

  /// - Returns: Bytes of the file; 0 if there is none.
  private func requireSame(_ path: String, _ identity: FileIdentity?) throws -> Int64 {
    let found = try FileIdentity.withSize(of: path)
    guard found?.identity == identity else {
      throw StorageError.replaced(
        path: path, what: identity == nil ? "was created by another program" : "was removed or replaced")
    }
    return found?.size ?? 0
  }
}

extension episodic_log_state {
  /// Whether no checkpoint, of any process, has moved anything into the database file since. One that was killed may have.
  fileprivate func isWithoutCheckpoint(since earlier: Self) -> Bool {
    guard moved == earlier.moved, moving == earlier.moving, moved == moving else { return false }
    // A log without a frame has nothing to move; the first generation is the one that follows it. A log that has no frame
    // again was truncated, after a checkpoint.
    let isFirst = earlier.salt == (0, 0) && earlier.last_frame == 0 && generation == 0 && last_frame > 0
    return salt == earlier.salt || isFirst
  }
}
