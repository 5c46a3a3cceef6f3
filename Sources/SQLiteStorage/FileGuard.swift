import CSQLite
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// Notices that another program removed, replaced, renamed, cut short or wrote over a file of the open database.
///
/// SQLite goes on with the files that it has open, whatever becomes of their names: a commit would be acknowledged into a
/// file that nobody will ever open again.
///
/// What cannot be seen: bytes that another program changes in place without SQLite, other than in the database file between
/// two checkpoints, the first 32 bytes of the log, and its length.
final class FileGuard: Sendable {
  /// What the database file was when it was last known to be SQLite's work.
  private struct Seen {
    var size: Int64
    var modified: Int64
    var log: episodic_log_state
  }

  private struct State {
    var seen: Seen?
    /// Set for good: what was lost does not come back.
    var verdict: StorageError?
  }

  /// A read notices a replaced file after that time at the latest.
  private static let interval: UInt64 = 100_000_000

  private let files: DatabaseFiles
  private let database: FileStatus
  /// `nil` for a file that was not there: then nobody may have made it.
  private let log: FileStatus.Identity?
  private let logIndex: FileStatus.Identity?
  /// Whether the database is read without locks, so that any change of the file ends it.
  private let isImmutable: Bool
  private let state = Mutex(State())
  private let nextLook: Atomic<UInt64>

  /// Takes the files as they are; a connection that has them open keeps others from removing them rightfully.
  init(_ files: DatabaseFiles, database: FileStatus, isImmutable: Bool) throws {
    self.files = files
    self.database = database
    self.isImmutable = isImmutable
    log = try FileStatus.of(files.log)?.identity
    logIndex = try FileStatus.of(files.logIndex)?.identity
    nextLook = Atomic(Self.now() &+ Self.interval)
    // Between the look at the file and its opening another one may have taken its place.
    try requireNames()
  }

  /// Refuses to read from a file that is not the store's any more. Looks at most every 100 ms.
  ///
  /// Cost: reading a coarse clock, nanoseconds; every 100 ms, three `lstat`.
  func verifyNowAndThen() throws {
    let now = Self.now()
    let due = nextLook.load(ordering: .relaxed)
    guard now >= due else { return }
    guard nextLook.compareExchange(expected: due, desired: now &+ Self.interval, ordering: .relaxed).exchanged else {
      return
    }
    try verify()
  }

  /// The database is closed, and others may remove its log.
  func retire() { nextLook.store(.max, ordering: .relaxed) }

  /// A database without locks is read from a file that nobody has changed, before and after, or not at all.
  func verifyBeforeRead() throws { try isImmutable ? verify() : verifyNowAndThen() }

  func verifyAfterRead() throws { if isImmutable { try verify() } }

  /// - Throws: `StorageError.replaced`.
  func verify() throws {
    try remember {
      try requireNames()
    }
  }

  /// Refuses to commit into files that are not the store's any more, or to move such a log into the database.
  ///
  /// To be called under the commit lock, inside a transaction or before a checkpoint.
  ///
  /// Cost: three `lstat` and two reads of the open log, 2 us.
  func verify(_ db: Database) throws {
    try remember {
      let current = try requireNames()
      var log = episodic_log_state()
      let code = episodic_log_state_read(db.sqliteConnection, &log)
      guard code == SQLITE_OK, log.is_log_whole else {
        throw StorageError.replaced(path: files.log, what: "was cut short or written over")
      }
      try state.withLock { state in
        if let seen = state.seen, current.size != seen.size || current.modified != seen.modified,
          log.isWithoutCheckpoint(since: seen.log)
        {
          throw StorageError.replaced(path: files.path, what: "was changed by something other than SQLite")
        }
        state.seen = Seen(size: current.size, modified: current.modified, log: log)
      }
    }
  }

  private func remember(_ body: () throws -> Void) throws {
    if let verdict = state.withLock({ $0.verdict }) { throw verdict }
    do {
      try body()
    } catch let error as StorageError {
      if case .replaced = error { state.withLock { $0.verdict = error } }
      throw error
    }
  }

  @discardableResult
  private func requireNames() throws -> FileStatus {
    guard let current = try FileStatus.of(files.path) else {
      throw StorageError.replaced(path: files.path, what: "was removed or renamed")
    }
    guard current.identity == database.identity else {
      throw StorageError.replaced(path: files.path, what: "was replaced")
    }
    if isImmutable, current.size != database.size || current.modified != database.modified {
      throw StorageError.replaced(path: files.path, what: "was written by another program")
    }
    for (path, identity) in [(files.log, log), (files.logIndex, logIndex)] {
      guard try FileStatus.of(path)?.identity == identity else {
        throw StorageError.replaced(
          path: path, what: identity == nil ? "was made by another program" : "was removed or replaced")
      }
    }
    return current
  }

  /// Nanoseconds of a clock that never goes back and is cheap to read.
  private static func now() -> UInt64 {
    #if os(Linux)
      var time = timespec()
      clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
      return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    #else
      return DispatchTime.now().uptimeNanoseconds
    #endif
  }
}

extension episodic_log_state {
  /// Whether no checkpoint, of any process, has moved anything into the database file since. One that was killed may have.
  fileprivate func isWithoutCheckpoint(since earlier: Self) -> Bool {
    salt == earlier.salt && moved == earlier.moved && moving == earlier.moving && moved == moving
  }
}
