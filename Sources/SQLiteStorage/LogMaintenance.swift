import FileLocks
import GRDB
import GRDBSQLite
import Synchronization

/// What the writer does after a commit: checkpoints when the log is long, and maintenance every 256 commits.
///
/// The commit is durable whatever fails here, so errors are reported and the next round tries again.
final class LogMaintenance: Sendable {
  /// Frames in the log after which they are moved into the database file: 8 MiB of pages.
  private static let checkpointFrames = 2048
  /// The same while this process maintains the database: a slice of maintenance writes as much as hundreds of commits, and a
  /// checkpoint of 1 MiB holds writers up for an eighth of the time.
  private static let checkpointFramesOfMaintenance = 256
  /// What SQLite leaves of the log's file, in bytes, when it begins the log again: room for twice as many frames.
  static let logSizeLimit = 16 << 20
  /// Frames after which the writer waits for readers to end, so that the log can begin again: there is no other moment
  /// without a reader if each begins before the one before it has ended.
  private static let longLogFrames = 8192
  /// How long it waits for a log of that length, and in proportion for a longer one: a small part of the time that writing
  /// it took.
  private static let waitForReaders = Duration.milliseconds(100)
  /// A transaction after which whoever waits for the lock has waited long already.
  private static let longTransaction = Duration.milliseconds(10)
  /// Long transactions in a row that leave the checkpoint to the next commit: more would make it long itself.
  private static let longestPostponement = 2
  /// Commits between two rounds of maintenance.
  private static let maintenanceInterval = 256

  private let log: LogLength
  private let maintenance: MaintenanceLock
  private let configuration: WALDatabase.Configuration
  /// Begins anywhere, so that processes of a few commits each do the maintenance as often as one of many.
  private let commits = Atomic(Int.random(in: 0..<LogMaintenance.maintenanceInterval))
  /// Frames at which to wait for readers the next time: a reader that stays must not cost every commit that wait.
  private let nextWait = Atomic(LogMaintenance.longLogFrames)
  /// Checkpoints in a row that were left to the next commit.
  private let postponements = Atomic(0)

  init(log: LogLength, maintenance: MaintenanceLock, configuration: WALDatabase.Configuration) {
    self.log = log
    self.maintenance = maintenance
    self.configuration = configuration
  }

  /// Frames in the log.
  var frames: Int { log.frames }

  /// Called on the writer's queue, under the commit lock, outside a transaction.
  ///
  /// - Parameter took: How long the transaction held the lock.
  func afterCommit(_ db: Database, _ busy: BusyHandler, took: Duration) {
    if log.frames >= (maintenance.isHeldHere ? Self.checkpointFramesOfMaintenance : Self.checkpointFrames),
      !isPostponed(after: took)
    {
      // When everything is moved, and no reader is left that began before, the next commit begins the log again.
      attempt("a checkpoint") { try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)") }
      waitForReadersIfLong(db, busy)
    }
    if commits.add(1, ordering: .relaxed).newValue.isMultiple(of: Self.maintenanceInterval) {
      attempt("maintenance") {
        try db.inTransaction(.immediate) {
          try configuration.maintenance(db)
          return .commit
        }
      }
    }
  }

  /// Whether the next commit makes the checkpoint, so that a writer that waits gets the lock between the two.
  private func isPostponed(after took: Duration) -> Bool {
    if took >= Self.longTransaction, postponements.load(ordering: .relaxed) < Self.longestPostponement {
      postponements.add(1, ordering: .relaxed)
      return true
    }
    postponements.store(0, ordering: .relaxed)
    return false
  }

  private func waitForReadersIfLong(_ db: Database, _ busy: BusyHandler) {
    let frames = log.frames
    guard frames >= nextWait.load(ordering: .relaxed) else {
      if frames < Self.longLogFrames { nextWait.store(Self.longLogFrames, ordering: .relaxed) }
      return
    }
    attempt("a checkpoint") {
      let isBusy = try busy.limited(to: Self.waitForReaders * frames / Self.longLogFrames) {
        try Bool.fetchOne(db, sql: "PRAGMA wal_checkpoint(RESTART)") ?? true
      }
      nextWait.store(isBusy ? frames + frames / 2 : Self.longLogFrames, ordering: .relaxed)
    }
  }

  private func attempt(_ doing: String, _ body: () throws -> Void) {
    do { try body() } catch { configuration.report(doing, error) }
  }
}

/// Frames in the write-ahead log after the last commit of the connection it follows.
final class LogLength: Sendable {
  private let count = Atomic(0)
  private let follower = Mutex<Follower?>(nil)

  /// The header of the WAL index after the last commit, to check that the next one changes it.
  private struct Follower {
    let watch: CommitWatch
    var last: CommitStamp?
  }

  var frames: Int { count.load(ordering: .relaxed) }

  /// Must outlive the connection's last commit.
  ///
  /// - Parameter watch: Distrusted if a commit leaves its header unchanged.
  func follow(_ db: Database, seenBy watch: CommitWatch) {
    follower.withLock { $0 = Follower(watch: watch, last: watch.headerStamp()) }
    _ = sqlite3_wal_hook(
      db.sqliteConnection,
      { context, _, _, frames in
        guard let context else { return SQLITE_OK }
        Unmanaged<LogLength>.fromOpaque(context).takeUnretainedValue().committed(frames: Int(frames))
        return SQLITE_OK
      },
      Unmanaged.passUnretained(self).toOpaque())
  }

  private func committed(frames: Int) {
    count.store(frames, ordering: .relaxed)
    follower.withLock { follower in
      guard let watch = follower?.watch, let stamp = watch.headerStamp() else { return }
      if stamp == follower?.last { watch.distrust() }
      follower?.last = stamp
    }
  }
}
