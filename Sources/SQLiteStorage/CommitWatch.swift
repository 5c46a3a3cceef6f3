import CSQLite
import FileLocks
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// A connection that writes nothing, detects the commits of all others, and closes last.
///
/// SQLite's writers change the header of the WAL index, 48 bytes in shared memory, at every commit: reading it costs
/// nanoseconds. SQLite's own readers, of every version that shares the database, compare the same bytes to learn of commits,
/// so its version number and its checksum show that it has the expected layout. If it cannot be read, `PRAGMA data_version`
/// takes its place: microseconds, and stamps that no other connection shares.
///
/// While the connection is open no process removes the log, so the header never returns to what it was: it starts as that of
/// an empty log, or as the log that was found, and each commit and each new beginning of the log changes it. Stamps may be
/// equal if no process had the database open at some moment between them.
final class CommitWatch: Sendable {
  private let queue: DatabaseQueue
  /// The address of the mapped header. Valid while `queue` is open, which `users` ensures.
  private let header: UInt?
  /// Reads of the header at this moment; `closed` when none may begin any more.
  private let users = Atomic<UInt>(0)
  private static let closed: UInt = 1 << (UInt.bitWidth - 1)
  /// Whether a commit left the header unchanged, so that it cannot be used.
  private let isDistrusted: Atomic<Bool>
  /// Distinguishes this connection's `data_version` from those of others.
  private let name = UInt64.random(in: 1 ... .max)

  /// - Parameter queue: The connection, owned from here on.
  init(_ queue: DatabaseQueue, trustsHeader: Bool = true) throws {
    self.queue = queue
    header = trustsHeader ? try queue.unsafeRead(Self.findHeader) : nil
    isDistrusted = Atomic(!trustsHeader)
  }

  /// - Throws: After `close`.
  func stamp() throws -> CommitStamp {
    if let stamp = headerStamp() { return stamp }
    let dataVersion = try queue.unsafeRead { db in
      // Nothing is written here: `data_version` does not count a connection's own commits.
      try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA data_version")) ?? 0
    }
    return CommitStamp([UInt64(bitPattern: dataVersion), 0, 0, 0, 0, 0, name, 1])
  }

  /// `nil` if only `data_version` can be used.
  func headerStamp() -> CommitStamp? {
    guard let header, !isDistrusted.load(ordering: .relaxed) else { return nil }
    let (before, _) = users.add(1, ordering: .acquiring)
    defer { users.subtract(1, ordering: .releasing) }
    guard before & Self.closed == 0, let index = UnsafeRawPointer(bitPattern: header) else { return nil }
    let words = episodic_wal_header_read(index).words
    return CommitStamp([words.0, words.1, words.2, words.3, words.4, words.5, 0, 0])
  }

  /// From now on only `data_version` is used.
  func distrust() { isDistrusted.store(true, ordering: .relaxed) }

  /// Frames in the log that are not in the database file yet.
  var framesToMove: Int {
    queue.unsafeRead { db in
      var state = episodic_log_state()
      guard episodic_log_state_read(db.sqliteConnection, &state) == SQLITE_OK else { return 0 }
      return Int(state.last_frame) - Int(min(state.moved, state.last_frame))
    }
  }

  /// A guard of the files that the connection has open.
  func guarding(_ files: DatabaseFiles, _ status: FileStatus, isImmutable: Bool) throws -> FileGuard {
    try queue.unsafeRead { db in try FileGuard(files, database: status, isImmutable: isImmutable, db) }
  }

  /// Moves what is in the log into the database file, as far as no reader is in the way. Under the commit lock, and before the
  /// connection is closed.
  ///
  /// - Parameter truncating: Whether to truncate the log then, without waiting for readers.
  func moveLog(_ fileGuard: FileGuard, truncating: Bool) throws {
    try queue.writeWithoutTransaction { db in
      try fileGuard.verify(db)
      try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
      guard truncating else { return }
      try db.execute(sql: "PRAGMA busy_timeout = 0")
      _ = try FileMaintenance.truncateLog(db)
    }
  }

  /// - Parameter removingLog: Whether to move what is left of the log into the database and remove it, if this is the last
  ///   connection of any process.
  func close(removingLog: Bool) throws {
    users.bitwiseOr(Self.closed, ordering: .acquiringAndReleasing)
    // A read of the header takes nanoseconds; the mapping goes after the last of them.
    while users.load(ordering: .acquiring) != Self.closed { sched_yield() }
    try removingLog ? queue.closeLast() : queue.close()
  }

  /// The address of the header; `nil` if there is none of the known layout.
  private static func findHeader(_ db: Database) throws -> UInt? {
    // The WAL index is mapped once the connection has read.
    _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema")
    guard let pageSize = try UInt32.fetchOne(db, sql: "PRAGMA page_size"),
      let index = episodic_wal_index(db.sqliteConnection)
    else { return nil }
    // A header that a writer is changing is not sound; a moment later it is.
    for _ in 0..<3 {
      var current = episodic_wal_header_read(index)
      if episodic_wal_header_is_sound(&current, pageSize) { return UInt(bitPattern: index) }
    }
    return nil
  }
}

extension DatabaseQueue {
  /// Closes the connection; if it is the last one of any process, moves the log into the database and removes it.
  ///
  /// SQLite holds an exclusive lock on the database meanwhile, for which other openers wait, so move a long log before.
  func closeLast() throws {
    try writeWithoutTransaction { db in
      let code = episodic_sqlite_checkpoint_on_close(db.sqliteConnection)
      guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }
    try close()
  }
}
