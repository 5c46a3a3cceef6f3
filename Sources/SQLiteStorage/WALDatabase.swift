package import FileLocks
package import GRDB

/// A SQLite database in WAL mode that several processes read and write at once: one writer with group commit, a pool of
/// readers, and a connection that only detects commits.
///
/// One that is released without `close` closes in the background.
package final class WALDatabase: StoredDatabase {
  /// What a commit survives.
  package enum Synchronous: String, Sendable {
    /// Loss of power: the log is synced at every commit.
    case full = "FULL"
    /// Death of the process: the log is synced at checkpoints.
    case normal = "NORMAL"

    fileprivate var code: Int { self == .full ? 2 : 1 }
  }

  package enum Access: Sendable {
    case readWrite
    /// Creates and changes no file. If others use the log, SQLite marks in shared memory what is being read.
    case readOnly
  }

  package struct Configuration: Sendable {
    package static let pageCacheBytes = 16 << 20

    package var synchronous: Synchronous
    /// Marks the file as one of ours (`PRAGMA application_id`).
    package var applicationID: Int32
    package var migrations: [Migration]
    /// `SchemaObjects.digest` of what the migrations make, so that an unchanged schema costs little to verify; `nil` if it
    /// is not known.
    package var schemaDigest: String?
    /// Falls back to reading only if the file or its directory cannot be written.
    package var access: Access
    /// Whether to create the file, and its folder, if there is none.
    package var create: Bool
    /// Reads at one time; further ones wait for one of them to end.
    package var readers: Int
    /// How long to wait for another process.
    package var busyTimeout: Duration
    /// Pages that the file may have; `nil` for no bound. For tests of a full disk.
    package var maximumPageCount: Int?
    /// Bytes of pages that each connection keeps.
    package var pageCacheBytes = Self.pageCacheBytes
    /// Called before a database that has an older schema is migrated, in the transaction and under the commit lock: makes a
    /// backup, through connections of its own.
    package var safeguard: @Sendable (MigrationPlan) throws -> MigrationSafeguard
    /// Run in a transaction of the writer every 256 commits.
    package var maintenance: @Sendable (Database) throws -> Void
    /// Called with errors that leave the commit durable: in a checkpoint or in maintenance.
    package var report: @Sendable (_ doing: String, any Error) -> Void
    /// Called with each commit of a group of calls; `nil`: none is timed.
    package var committed: CommitObserver?
    /// Milliseconds since 1970, for the times at which migrations were applied.
    package var now: @Sendable () -> Int64 = Migrator.systemTime

    package init(
      applicationID: Int32, migrations: [Migration], schemaDigest: String? = nil, synchronous: Synchronous = .full,
      access: Access = .readWrite, create: Bool = true, readers: Int = 8, busyTimeout: Duration = .seconds(30),
      maximumPageCount: Int? = nil,
      safeguard: @escaping @Sendable (MigrationPlan) throws -> MigrationSafeguard = { _ in .none },
      maintenance: @escaping @Sendable (Database) throws -> Void = { _ in },
      report: @escaping @Sendable (String, any Error) -> Void
    ) {
      self.applicationID = applicationID
      self.migrations = migrations
      self.schemaDigest = schemaDigest
      self.synchronous = synchronous
      self.access = access
      self.create = create
      self.readers = readers
      self.busyTimeout = busyTimeout
      self.maximumPageCount = maximumPageCount
      self.safeguard = safeguard
      self.maintenance = maintenance
      self.report = report
    }
  }

  package let path: String
  package var isInFile: Bool { true }
  /// Why nothing can be written; `nil` if it can.
  package let readOnlyReason: String?
  /// What another program changed in the schema, and what to do, as of opening. While there is anything, nothing is
  /// written.
  package let schemaProblems: [String]
  private let migrator: Migrator
  private let connections: Connections
  package let maintenanceLock: MaintenanceLock
  package var fileMaintenance: FileMaintenance? { connections.maintenance }

  /// Opens the file, creates it if configured, and migrates it to the newest schema.
  ///
  /// May wait, up to the timeout, for another process that makes or migrates the database, and for the disk.
  ///
  /// - Throws: `StorageError`, or GRDB's `DatabaseError`.
  package init(path: String, _ configuration: Configuration) throws {
    let files = DatabaseFiles(path: path)
    let opened: OpenedDatabase
    maintenanceLock = MaintenanceLock(path: files.maintenanceLock)
    (opened, connections) = try Self.connect(files, configuration, maintenanceLock)
    self.path = files.path
    readOnlyReason = opened.readOnlyReason
    schemaProblems = opened.schemaProblems
    migrator = opened.migrator
    if let problem = schemaProblems.first { refuseWrites(because: problem) }
  }

  private static func connect(
    _ files: DatabaseFiles, _ configuration: Configuration, _ maintenanceLock: MaintenanceLock
  ) throws -> (OpenedDatabase, Connections) {
    func attempt() throws -> (OpenedDatabase, Connections) {
      let opened = try DatabaseOpening(files, configuration).open()
      return (opened, try Connections(opened, configuration, maintenanceLock))
    }
    do {
      return try attempt()
    } catch StorageError.replaced {
      // A backup was restored between two looks at the files.
      return try attempt()
    }
  }

  /// Opens the file on a thread that may wait.
  package static func open(path: String, _ configuration: Configuration) async throws -> WALDatabase {
    try await connectionWork.run { try WALDatabase(path: path, configuration) }
  }

  // The last reference may go on any thread, one of the connections' own included.
  deinit {
    if !connections.isClosed { connectionWork.submit { [connections] in try? connections.close() } }
  }

  // MARK: Reading

  /// Reads one snapshot.
  ///
  /// - Throws: `CancellationError` if the task was cancelled; `StorageError.replaced` within 100 ms after another file has
  ///   taken the place of this one; what `body` throws.
  package func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try connections.fileGuard.verifyBeforeRead()
    do {
      let value = try await connections.readers.read(body)
      try connections.fileGuard.verifyAfterRead()
      return value
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
      // A further connection finds no file, or another one: report that rather than SQLite's error.
      try connections.fileGuard.verify()
      throw error
    }
  }

  /// Reads one snapshot on the calling thread; for what takes milliseconds at most.
  ///
  /// - Returns: `nil` if it would have to wait: read it the other way.
  package func readWithoutWaiting<Value>(_ body: (Database) throws -> Value) throws -> Value? {
    try connections.fileGuard.verifyBeforeRead()
    let value = try connections.readers.readWithoutWaiting(body)
    try connections.fileGuard.verifyAfterRead()
    return value
  }

  /// The state of the database between two commits: any commit, of any connection of any process, changes it.
  ///
  /// Cost: a few nanoseconds; about 3 us if the WAL index cannot be read.
  ///
  /// - Throws: `StorageError.replaced` within 100 ms after another file has taken the place of this one.
  package func commitStamp() throws -> CommitStamp {
    try connections.fileGuard.verifyNowAndThen()
    do {
      return try connections.watch.stamp()
    } catch {
      throw connections.isClosed ? StorageError.closed(path: path) : error
    }
  }

  /// Returns when the stamp is another: at once after a commit through this value, 10 to 20 ms after one of others.
  ///
  /// - Throws: `CancellationError`; `StorageError.closed`, `.replaced`.
  package func waitForCommit(after stamp: CommitStamp) async throws {
    try await connections.waiters.wait(after: stamp)
  }

  // MARK: Writing

  /// Runs `body` in a transaction that it shares with other callers, and returns after the commit.
  ///
  /// `body` may run twice, so it must depend on nothing but the database and what it captured; an error that it throws
  /// undoes what it wrote and nothing else.
  ///
  /// - Throws: `StorageError.locked` if another process kept the locks for the timeout, and `CancellationError` if the task
  ///   was cancelled before the transaction began: nothing was changed then.
  ///
  /// - Parameter despiteDamage: Also after `refuseWrites`: for what examines or mends.
  package func write<Value: Sendable>(
    despiteDamage: Bool, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await writer().write(despiteDamage: despiteDamage, body)
  }

  /// Performs a request together with those of its batch that share the commit, and returns after it.
  package func write<Request, Value>(_ request: Request, in batch: BatchedWrite<Request, Value>) async throws -> Value {
    try await writer().write(request, in: batch)
  }

  package func maintain<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await writer().maintain(waitingAtMost: nil, body)
  }

  package func settle() async { await connections.writer?.settle() }

  package func truncateLog(waitingAtMost wait: Duration) async throws -> Bool {
    try await writer().maintain(waitingAtMost: wait) { db in
      try !FileMaintenance.truncateLog(db)
    }
  }

  /// From now on nothing is written through this connection: a write could destroy what is left of a damaged database.
  package func refuseWrites(because reason: String) {
    connections.writer?.refuse(because: .damaged(path: path, reason: "\(reason); it takes no more writes"))
  }

  /// Takes `refuseWrites` back: what was wrong has been mended. What was wrong with the schema at opening is not.
  package func acceptWrites() {
    if schemaProblems.isEmpty { connections.writer?.acceptAfterDamage() }
  }

  // MARK: The schema

  /// What another program changed in the schema, as of a snapshot: what endangers what is written, with what to do; and
  /// the names of indexes that are not there, which only make queries fast.
  package func inspectSchema(_ db: Database) throws -> (problems: [String], lostIndexes: [String]) {
    try migrator.problems(db)
  }

  /// Makes indexes again that are not there, in the transaction of a write.
  package func restoreIndexes(_ db: Database) throws { try migrator.restoreIndexes(db) }

  // MARK: The writer

  private func writer() throws -> GroupCommit {
    guard let writer = connections.writer else {
      if connections.isClosed { throw StorageError.closed(path: path) }
      throw StorageError.readOnly(path: path, reason: readOnlyReason ?? "it was opened so")
    }
    return writer
  }

  // MARK: Copying

  /// On a connection of its own: those of the pool are for reads of milliseconds.
  package func copy<Value: Sendable>(
    to target: String, progress: @escaping @Sendable (DatabaseCopy.Progress) -> Void,
    describing describe: @escaping @Sendable (Database) throws -> Value
  ) async throws -> (copy: DatabaseCopy, value: Value) {
    try await connectionWork.run(orThrow: CancellationError() as any Error) { [connections] cancellation in
      try connections.fileGuard.verify()
      let source = try connections.connector.reading()
      let result = try DatabaseCopy.make(
        of: source, to: target,
        progress: { now in
          if cancellation.isCancelled { throw CancellationError() }
          if connections.isClosed { throw StorageError.closed(path: connections.files.path) }
          progress(now)
        }, describing: describe)
      try source.close()
      try connections.fileGuard.verify()
      return result
    }
  }

  // MARK: Closing

  /// Closes every connection. The last process to do so moves the log into the database file and removes it, so that this
  /// file alone is the database.
  ///
  /// Cuts no wait short: calls that came before end first.
  package func close() async throws {
    try await connectionWork.run { [connections] in try connections.close() }
  }

  /// Bytes of the database file and its log.
  package var bytesOnDisk: Int64 {
    let files = connections.files
    // Sizes for statistics: what cannot be seen counts as nothing.
    return [files.path, files.log].reduce(0) { sum, file in sum + ((try? FileStatus(of: file))?.size ?? 0) }
  }
}

extension WALDatabase.Configuration {
  /// Sets what only the connection that writes needs.
  func setUpWriter(_ db: Database) throws {
    try db.set("synchronous", to: synchronous.rawValue, expecting: synchronous.code)
    try db.set("journal_size_limit", to: "\(LogMaintenance.logSizeLimit)", expecting: LogMaintenance.logSizeLimit)
    if let maximumPageCount { try db.execute(sql: "PRAGMA max_page_count = \(maximumPageCount)") }
  }
}

extension Database {
  /// Sets a pragma and reads it back: SQLite ignores what it does not accept.
  fileprivate func set(_ pragma: String, to value: String, expecting code: Int) throws {
    try execute(sql: "PRAGMA \(pragma) = \(value)")
    let actual = try Int.fetchOne(self, sql: "PRAGMA \(pragma)")
    guard actual == code else {
      throw StorageError.refused(pragma: pragma, expected: value, actual: actual.map(String.init) ?? "unknown")
    }
  }
}

/// Called on the writer's thread with a commit: how many calls shared it, how long the first waited until its transaction began,
/// and how long that took.
package typealias CommitObserver = @Sendable (_ calls: Int, _ waited: Duration, _ took: Duration) -> Void
