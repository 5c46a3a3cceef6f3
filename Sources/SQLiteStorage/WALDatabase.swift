package import FileLocks
public import GRDB

/// A SQLite database in WAL mode that several processes read and write at once: one writer with group commit, a pool of
/// readers, and a connection that only watches for commits.
///
/// One that is dropped closes like one that is closed, a moment later and in the background.
public final class WALDatabase: Sendable {
  /// What a commit survives.
  public enum Synchronous: String, Sendable {
    /// Loss of power: the log is synced at every commit.
    case full = "FULL"
    /// Death of the process: the log is synced at checkpoints.
    case normal = "NORMAL"

    fileprivate var code: Int { self == .full ? 2 : 1 }
  }

  public enum Access: Sendable {
    case readWrite
    /// Makes and changes no file. Where the log is in use by others, SQLite marks in shared memory what is being read.
    case readOnly
  }

  public struct Configuration: Sendable {
    public var synchronous: Synchronous
    /// Marks the file as one of ours (`PRAGMA application_id`).
    public var applicationID: Int32
    public var migrations: [Migration]
    /// What the migrations make, as a digest, so that a schema that is whole costs little to verify; `nil` if nobody has
    /// computed it.
    public var schemaDigest: String?
    /// Falls back to reading only where the file or its directory cannot be written.
    public var access: Access
    /// Whether to make the file, and its folder, where there is none.
    public var create: Bool
    /// Reads at one time; further ones wait for one of them to end.
    public var readers: Int
    /// How long to wait for another process.
    public var busyTimeout: Duration
    /// Pages that the file may have; `nil` for no bound. Lets tests fill a disk.
    public var maximumPageCount: Int?
    /// Run in a transaction of the writer now and then, to tidy up.
    public var maintenance: @Sendable (Database) throws -> Void
    /// Told of errors after which a commit still stands: in a checkpoint or in maintenance.
    public var report: @Sendable (_ doing: String, any Error) -> Void

    public init(
      applicationID: Int32, migrations: [Migration], schemaDigest: String? = nil, synchronous: Synchronous = .full,
      access: Access = .readWrite, create: Bool = true, readers: Int = 8, busyTimeout: Duration = .seconds(30),
      maximumPageCount: Int? = nil,
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
      self.maintenance = maintenance
      self.report = report
    }
  }

  public let path: String
  /// Why nothing can be written; `nil` if it can.
  public let readOnlyReason: String?
  /// What another program changed in the schema, and what to do, as of opening. While there is anything, nothing is written.
  public let schemaProblems: [String]
  private let migrator: Migrator
  private let connections: Connections

  /// Opens the file, makes it where that is wanted, and brings it to the newest schema.
  ///
  /// May wait, up to the timeout, for another process that makes or migrates the database, and for the disk.
  ///
  /// - Throws: `StorageError`, or GRDB's `DatabaseError`.
  public init(path: String, _ configuration: Configuration) throws {
    let files = DatabaseFiles(path: path)
    let opened = try DatabaseOpening(files, configuration).open()
    self.path = files.path
    readOnlyReason = opened.readOnlyReason
    schemaProblems = opened.schemaProblems
    migrator = opened.migrator
    connections = try Connections(opened, configuration)
    if let problem = schemaProblems.first { refuseWrites(because: problem) }
  }

  /// Opens the file on a thread that may wait.
  public static func open(path: String, _ configuration: Configuration) async throws -> WALDatabase {
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
  public func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try connections.fileGuard.verifyBeforeRead()
    do {
      let value = try await connections.readers.read(body)
      try connections.fileGuard.verifyAfterRead()
      return value
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
      // A further connection finds no file, or another one: that is to be told rather than how SQLite puts it.
      try connections.fileGuard.verify()
      throw error
    }
  }

  /// Reads one snapshot on the calling thread; for what takes milliseconds at most.
  ///
  /// - Returns: `nil` if it would have to wait: read it the other way.
  public func readBriefly<Value>(_ body: (Database) throws -> Value) throws -> Value? {
    try connections.fileGuard.verifyBeforeRead()
    let value = try connections.readers.readBriefly(body)
    try connections.fileGuard.verifyAfterRead()
    return value
  }

  /// The moment: any commit, of any connection of any process, that lies between two of them makes them differ.
  ///
  /// Cost: a few nanoseconds; about 3 us where the WAL index cannot be read.
  ///
  /// - Throws: `StorageError.replaced` within 100 ms after another file has taken the place of this one.
  package func commitStamp() throws -> CommitStamp {
    try connections.fileGuard.verifyNowAndThen()
    return try connections.watch.stamp()
  }

  // MARK: Writing

  /// Runs `body` in a transaction that it shares with other callers, and returns after the commit.
  ///
  /// `body` may run twice, so it must depend on nothing but the database and what it captured; an error that it throws
  /// undoes what it wrote and nobody else's.
  ///
  /// - Throws: `StorageError.locked` if another process kept the locks for the timeout, and `CancellationError` if the task
  ///   was cancelled before the transaction began: nothing was changed then.
  ///
  /// - Parameter despiteDamage: Also after `refuseWrites`: for what examines or mends.
  public func write<Value: Sendable>(
    despiteDamage: Bool = false, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await writer().write(despiteDamage: despiteDamage, body)
  }

  /// Performs a request together with those of its lane that share the commit, and returns after it.
  public func write<Request, Value>(_ request: Request, in lane: WriteLane<Request, Value>) async throws -> Value {
    try await writer().write(request, in: lane)
  }

  /// From now on nothing is written through this connection: what is left of a damaged database must not be destroyed.
  public func refuseWrites(because reason: String) {
    connections.writer?.refuse(because: .damaged(path: path, reason: "\(reason); it takes no more writes"))
  }

  /// Takes `refuseWrites` back: what was wrong has been mended. What was wrong with the schema at opening is not.
  public func acceptWrites() {
    if schemaProblems.isEmpty { connections.writer?.acceptAfterDamage() }
  }

  // MARK: The schema

  /// What another program changed in the schema, as of a snapshot: what endangers what is written, with what to do; and
  /// the names of indexes that are not there, which only make queries fast.
  public func inspectSchema(_ db: Database) throws -> (problems: [String], lostIndexes: [String]) {
    guard case .newest(let problems, let lostIndexes) = try migrator.inspect(db) else {
      return (["migrations are missing in it that were there: restore a backup"], [])
    }
    return (problems, lostIndexes.map(\.name))
  }

  /// Makes indexes again that are not there, in the transaction of a write.
  public func restoreIndexes(_ db: Database) throws { try migrator.restoreIndexes(db) }

  // MARK: Who writes

  private func writer() throws -> GroupCommit {
    guard let writer = connections.writer else {
      throw StorageError.readOnly(path: path, reason: readOnlyReason ?? "it was opened so")
    }
    return writer
  }

  // MARK: Closing

  /// Closes every connection. The last process to do so moves the log into the database file and removes it, so that this
  /// file alone is the database.
  ///
  /// Ends the wait of nobody: calls that came before are answered first.
  public func close() async throws {
    try await connectionWork.run { [connections] in try connections.close() }
  }

  /// Bytes of the database file and its log.
  public var bytesOnDisk: Int64 {
    let files = connections.files
    // Sizes for statistics: what cannot be seen counts as nothing.
    return [files.path, files.log].reduce(0) { sum, file in sum + ((try? FileStatus(of: file))?.size ?? 0) }
  }
}

extension WALDatabase.Configuration {
  /// Sets what only the connection that writes needs.
  func setUpWriter(_ db: Database) throws {
    try db.set("synchronous", to: synchronous.rawValue, expecting: synchronous.code)
    try db.set("journal_size_limit", to: "\(Upkeep.logSizeLimit)", expecting: Upkeep.logSizeLimit)
    if let maximumPageCount { try db.execute(sql: "PRAGMA max_page_count = \(maximumPageCount)") }
  }
}

extension Database {
  /// Sets a pragma and reads it back: SQLite ignores what it does not take.
  fileprivate func set(_ pragma: String, to value: String, expecting code: Int) throws {
    try execute(sql: "PRAGMA \(pragma) = \(value)")
    let actual = try Int.fetchOne(self, sql: "PRAGMA \(pragma)")
    guard actual == code else {
      throw StorageError.refused(pragma: pragma, expected: value, actual: actual.map(String.init) ?? "unknown")
    }
  }
}
