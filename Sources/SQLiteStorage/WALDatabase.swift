import CSQLite
import Foundation
public import GRDB
import GRDBSQLite

/// A SQLite database in WAL mode that several processes read and write at once: one writer with group commit, a pool of
/// readers, and a connection that only watches for commits.
public final class WALDatabase: Sendable {
  /// What a commit survives.
  public enum Synchronous: String, Sendable {
    /// Loss of power: the log is synced at every commit.
    case full = "FULL"
    /// Death of the process: the log is synced at checkpoints.
    case normal = "NORMAL"

    fileprivate var code: Int { self == .full ? 2 : 1 }
  }

  public struct Configuration: Sendable {
    public var synchronous: Synchronous
    /// Marks the file as one of ours (`PRAGMA application_id`).
    public var applicationID: Int32
    public var migrations: [Migration]
    /// Whether to make the file, and its folder, where there is none.
    public var create: Bool
    public var readers: Int
    /// How long to wait for another process.
    public var timeoutMilliseconds: Int
    /// Pages that the file may have; `nil` for no bound. Lets tests fill a disk.
    public var maximumPageCount: Int?
    /// Run in a transaction of the writer now and then, to tidy up.
    public var maintenance: @Sendable (Database) throws -> Void
    /// Told of errors after which a commit still stands: in a checkpoint or in maintenance.
    public var report: @Sendable (_ doing: String, any Error) -> Void

    public init(
      applicationID: Int32, migrations: [Migration], synchronous: Synchronous = .full, create: Bool = true,
      readers: Int = 4, timeoutMilliseconds: Int = 30_000, maximumPageCount: Int? = nil,
      maintenance: @escaping @Sendable (Database) throws -> Void = { _ in },
      report: @escaping @Sendable (String, any Error) -> Void
    ) {
      self.applicationID = applicationID
      self.migrations = migrations
      self.synchronous = synchronous
      self.create = create
      self.readers = readers
      self.timeoutMilliseconds = timeoutMilliseconds
      self.maximumPageCount = maximumPageCount
      self.maintenance = maintenance
      self.report = report
    }
  }

  public let path: String
  private let pool: DatabasePool
  private let briefReaders: BriefReaders
  private let watch: CommitWatch
  private let lock: CommitLock
  private let writer: GroupCommit
  private let log: LogLength
  private let report: @Sendable (String, any Error) -> Void

  /// Opens the file, makes it where that is wanted, and brings it to the newest schema.
  ///
  /// - Throws: `StorageError`, or GRDB's `DatabaseError`.
  public init(path: String, _ configuration: Configuration) throws {
    self.path = path
    let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    if configuration.create {
      try Self.makeFolder(folder)
    } else {
      try Self.requireFile(path)
    }
    let lock = try CommitLock(path: path + "-lock", timeoutMilliseconds: configuration.timeoutMilliseconds)
    let log = LogLength()
    // Making the file, recovering its log and migrating it are for one process at a time.
    (pool, watch) = try lock.withLock {
      let looking = try Self.refuseForeign(path, configuration)
      let pool = try DatabasePool(path: path, configuration: Self.connections(configuration))
      // Not before: the last connection to close takes the WAL index along, and the next would read the whole log again.
      try looking?.close()
      try pool.writeWithoutTransaction { db in
        try Self.set(
          "synchronous", to: configuration.synchronous.rawValue, expecting: configuration.synchronous.code, db)
        if let pages = configuration.maximumPageCount {
          try db.execute(sql: "PRAGMA max_page_count = \(pages)")
        }
        if try Int32.fetchOne(db, sql: "PRAGMA application_id") != configuration.applicationID {
          try db.execute(sql: "PRAGMA application_id = \(configuration.applicationID)")
        }
        try Migrator(migrations: configuration.migrations, path: path).migrate(db)
      }
      let watch = try CommitWatch(
        path: path, configuration: Self.connections(configuration), trustsHeader: WALIndexTrial.isPassed)
      pool.writeWithoutTransaction { db in log.follow(db, seenBy: watch) }
      return (pool, watch)
    }
    self.lock = lock
    self.log = log
    briefReaders = BriefReaders(
      path: path, configuration: Self.connections(configuration), maximumCount: configuration.readers)
    report = configuration.report
    let upkeep = Upkeep(log: log, configuration: configuration)
    writer = GroupCommit(writer: pool, lock: lock) { db in upkeep.afterCommit(db) }
  }

  /// Reads one snapshot.
  public func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try await pool.read(body)
  }

  /// Reads one snapshot on the calling thread; for what takes milliseconds at most.
  ///
  /// - Returns: `nil` where all connections for that are in use: read it the other way.
  public func readBriefly<Value>(_ body: (Database) throws -> Value) throws -> Value? {
    try briefReaders.read(body)
  }

  /// Runs `body` in a transaction that it shares with other callers, and returns after the commit.
  ///
  /// `body` may run twice, so it must depend on nothing but the database and what it captured; an error that it throws
  /// undoes what it wrote and nobody else's.
  public func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try await writer.write(body)
  }

  /// Performs a request together with those of its lane that share the commit, and returns after it.
  public func write<Request, Value>(_ request: Request, in lane: WriteLane<Request, Value>) async throws -> Value {
    try await writer.write(request, in: lane)
  }

  /// The moment: any commit, of any connection of any process, that lies between two of them makes them differ.
  ///
  /// Cost: a few nanoseconds; about 3 us where the WAL index cannot be read or the log is empty.
  public func commitMark() throws -> CommitMark { try watch.mark() }

  /// Moves the log into the database file, if this process wrote to it and as far as no reader is in the way, and closes
  /// every connection.
  ///
  /// A log that stays long has to be read as a whole by whoever opens the database next, so it is begun anew where nobody
  /// else reads it. It is never emptied: the headers of empty logs are all alike (see `CommitWatch`).
  public func close() async throws {
    if log.frames > 0 { await moveLog() }
    let outcomes = [
      Result { try watch.close() }, Result { try briefReaders.close() }, Result { try pool.close() },
    ]
    for outcome in outcomes { try outcome.get() }
  }

  /// Frames that take longer to read than a page takes to write.
  private static let longLog = 256

  /// What is in the log is safe there, so a failure is reported and holds nothing up.
  private func moveLog() async {
    do {
      let isLong = log.frames >= Self.longLog
      try await pool.writeWithoutTransaction { db in
        try self.lock.withLock {
          try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
          guard isLong else { return }
          // Without waiting for readers: then it stays as it is.
          try db.execute(sql: "PRAGMA busy_timeout = 0")
          let isBusy = try Bool.fetchOne(db, sql: "PRAGMA wal_checkpoint(RESTART)") ?? true
          // One page at its beginning, with a new salt, ends what there is to read.
          guard !isBusy, let version = try Int.fetchOne(db, sql: "PRAGMA user_version") else { return }
          try db.execute(sql: "PRAGMA user_version = \(version)")
        }
      }
    } catch {
      report("a checkpoint", error)
    }
  }

  /// Bytes of the database file and its log.
  public var bytesOnDisk: Int64 {
    [path, path + "-wal"].reduce(0) { sum, file in
      let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int64
      return sum + (size ?? 0)
    }
  }

  // MARK: Opening

  private static func makeFolder(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      let reason = (error as NSError).localizedDescription
      throw StorageError.system(path: folder, operation: "making the folder", errno: 0, reason: reason)
    }
  }

  /// A file that is not there, one that may not be seen, and one that has lost everything are three different things.
  private static func requireFile(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw errno == ENOENT || errno == ENOTDIR ? StorageError.missing(path: path) : .lastSystemError("opening", path)
    }
    var log = stat()
    guard status.st_size > 0 || (stat(path + "-wal", &log) == 0 && log.st_size > 0) else {
      throw StorageError.foreign(path: path, reason: "it is empty; restore a backup, or remove it to begin anew")
    }
  }

  /// Looks at an existing file through a connection that changes nothing, before anything is set on it.
  ///
  /// - Returns: The connection; `nil` where there is no file yet.
  private static func refuseForeign(_ path: String, _ configuration: Configuration) throws -> DatabaseQueue? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard let size = attributes?[.size] as? Int64, size > 0 else { return nil }
    var looking = connections(configuration)
    looking.readonly = true
    let queue = try DatabaseQueue(path: path, configuration: looking)
    let (applicationID, tables) = try queue.read { db in
      (
        try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0,
        try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
      )
    }
    guard applicationID == configuration.applicationID || (applicationID == 0 && tables == 0) else {
      throw StorageError.foreign(path: path, reason: "its application id is \(applicationID); name another directory")
    }
    let migrator = Migrator(migrations: configuration.migrations, path: path)
    try queue.read { db in try migrator.refuseNewer(db) }
    return queue
  }

  private static func connections(_ configuration: Configuration) -> GRDB.Configuration {
    var connections = GRDB.Configuration()
    connections.maximumReaderCount = configuration.readers
    connections.busyMode = .timeout(Double(configuration.timeoutMilliseconds) / 1000)
    connections.label = "episodic"
    // Opening a reader costs about a millisecond; the operating system does not need the memory back.
    connections.persistentReadOnlyConnections = true
    connections.prepareDatabase { db in
      let code = episodic_sqlite_harden(db.sqliteConnection)
      guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
      try set("foreign_keys", to: "ON", expecting: 1, db)
      // Checkpoints happen under the commit lock, never unasked.
      try set("wal_autocheckpoint", to: "0", expecting: 0, db)
      try db.execute(sql: "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY")
    }
    return connections
  }

  /// Sets a pragma and reads it back: SQLite ignores what it does not take.
  private static func set(_ pragma: String, to value: String, expecting code: Int, _ db: Database) throws {
    try db.execute(sql: "PRAGMA \(pragma) = \(value)")
    let actual = try Int.fetchOne(db, sql: "PRAGMA \(pragma)")
    guard actual == code else {
      throw StorageError.refused(pragma: pragma, expected: value, actual: actual.map(String.init) ?? "unknown")
    }
  }
}
