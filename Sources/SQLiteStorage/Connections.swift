import FileLocks
import GRDB
import Synchronization

/// The connections of an open database, and what they share.
final class Connections: Sendable {
  let files: DatabaseFiles
  let readers: ReaderPool
  let watch: CommitWatch
  let fileGuard: FileGuard
  let waiters: CommitWaiters
  /// `nil` for a database that is opened for reading only.
  let writer: GroupCommit?
  let connector: Connector
  /// `nil` for a database that is opened for reading only.
  let maintenance: FileMaintenance?
  private let quietLog: QuietLog?
  private let lock: CommitLock
  private let timeout: Duration
  private let hasClosed = Atomic(false)

  /// For others that are closing too.
  private static let closingTimeout = Duration.seconds(1)

  init(
    _ opened: OpenedDatabase, _ configuration: WALDatabase.Configuration, _ maintenanceLock: MaintenanceLock
  ) throws {
    connector = opened.connector
    files = opened.connector.files
    watch = opened.watch
    lock = opened.lock
    timeout = configuration.busyTimeout
    let isImmutable = if case .immutable = opened.connector.access { true } else { false }
    fileGuard = try opened.watch.guarding(files, opened.status, isImmutable: isImmutable)
    waiters = CommitWaiters { [watch, fileGuard] in
      try fileGuard.verifyNowAndThen()
      return try watch.stamp()
    }
    readers = ReaderPool(opened.connector, maximumCount: configuration.readers)
    guard opened.readOnlyReason == nil else {
      (writer, maintenance, quietLog) = (nil, nil, nil)
      return
    }
    let log = LogLength()
    let logMaintenance = LogMaintenance(log: log, maintenance: maintenanceLock, configuration: configuration)
    let quietLog = QuietLog()
    let writer = GroupCommit(
      files: files, lock: lock, timeout: timeout, fileGuard: fileGuard,
      schemaGuard: SchemaGuard(opened.migrator),
      openWriter: { [watch, connector = opened.connector] busy in
        let writer = try connector.writing(busy)
        try writer.writeWithoutTransaction { db in
          try configuration.setUpWriter(db)
          log.follow(db, seenBy: watch)
        }
        return writer
      },
      committed: configuration.committed,
      afterCommit: { [waiters] db, busy, took in
        waiters.check()
        logMaintenance.afterCommit(db, busy, took: took)
        quietLog.committed(frames: logMaintenance.frames)
      })
    let maintenance = FileMaintenance(files: files, writer: writer, fileGuard: fileGuard)
    quietLog.onQuiet { [weak writer, files, fileGuard] in
      guard let writer else { return }
      FileMaintenance(files: files, writer: writer, fileGuard: fileGuard).shrinkLogSoon()
    }
    (self.writer, self.maintenance, self.quietLog) = (writer, maintenance, quietLog)
  }

  /// Whether `close` was called.
  var isClosed: Bool { hasClosed.load(ordering: .relaxed) }

  /// Closes every connection, if that has not been done. The last process to do so moves the log into the database file
  /// and removes it.
  ///
  /// May wait for reads of this process that are under way, for the disk, and for a moment for others that close.
  func close() throws {
    guard !hasClosed.exchange(true, ordering: .relaxed) else { return }
    waiters.end(with: .closed(path: files.path))
    quietLog?.retire()
    fileGuard.retire()
    let outcomes = [
      Result { try writer?.close() },
      Result {
        let isLast = try readers.close(timeout: timeout) && writer != nil && moveLog()
        try underClosingLock {
          let leavesForeignLog = try writer != nil && fileGuard.leavesForeignLog()
          try watch.close(removingLog: isLast)
          if leavesForeignLog { try fileGuard.setAsideForeignLog() }
        }
      },
    ]
    for outcome in outcomes { try outcome.get() }
  }

  /// Runs `body` while no other process closes its last connection: of two that close at the same moment, SQLite would let
  /// neither be the last one, and the log would stay.
  ///
  /// The lock is on the directory, so it needs no file. Without it, if another process keeps it: one that is stopped must not
  /// hold this one up, and a log that stays is as good as one that is moved.
  private func underClosingLock(_ body: () throws -> Void) throws {
    let lock = (try? OpenFile<FileError>.directory(files.directory)).map { FileLock($0) }
    try? lock?.lock(.exclusive, until: .after(Self.closingTimeout))
    try body()
    lock?.unlock()
  }

  /// Bytes of a log that a close leaves beside other processes, which go on with it.
  private static let shortLog: Int64 = 1 << 20

  /// Moves what is in the log into the database file, if no process is committing: one that is does it later. Then truncates a
  /// log that is long, if nobody reads, so that none stays beside a small database while other processes have it open.
  ///
  /// The content of the log is safe there, so a failure does not stop the close.
  ///
  /// - Returns: Whether log and database are still those that belong together.
  private func moveLog() -> Bool {
    do {
      try fileGuard.verify()
      let isLong = try FileStatus(of: files.log)?.size ?? 0 > Self.shortLog
      guard watch.framesToMove > 0 || isLong else { return true }
      try lock.withLock(whileWaiting: { _ in false }) { try watch.moveLog(fileGuard, truncating: isLong) }
      return true
    } catch StorageError.replaced {
      // Reads and writes report it. The log does not belong into the file that took the place.
      return false
    } catch {
      // On a full disk, for instance: the log stays, and the next close tries again.
      return true
    }
  }
}
