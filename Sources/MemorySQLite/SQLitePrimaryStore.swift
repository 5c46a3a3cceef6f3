package import FileLocks
import Dispatch
package import EpisodicMemory
import GRDB
package import Logging
import SQLiteStorage
import Synchronization
import StoreRows

/// The primary in a SQLite file, `memory.sqlite`, or in memory.
package final class SQLitePrimaryStore: PrimaryStore {
  package let identity: StoreIdentity
  let database: any StoredDatabase
  let logger: Logger
  let growth: GrowthLimits
  let audit: AuditPolicy
  let appends: BatchedWrite<StepAppend, [Step]>
  let fullDisk: FullDiskRelief
  let tokenizers = TokenizerPool(TextIndexComparison.tokenizer)
  let keyring: StoreKeyring
  let totals = CorpusTotalsCache()
  let erasedTexts = ErasedTexts()
  /// Bounds every wait for another process.
  let busyTimeout: Duration

  /// Why the store is read-only; `nil` if it can be written.
  package var readOnlyReason: String? { database.readOnlyReason }

  /// Opens the file, creates it if `create` allows, and migrates it to the newest schema.
  ///
  /// - Parameter isReadOnly: Creates and changes no file. A file without write permission is opened read-only anyway.
  /// - Parameter backups: The directory for the backup that is made before a migration; `nil` for none.
  /// - Parameter busyTimeout: Bounds every wait for another process.
  /// - Parameter clock: Decides which idempotency keys are old, and dates the migrations.
  /// - Parameter migrationClock: Dates the migrations in its place, and the records of the audit.
  /// - Parameter maximumPageCount: Bounds the file, in SQLite pages; for tests of a full disk.
  /// - Parameter pageCacheBytes: Bytes of pages that each connection keeps; `nil` for the usual 16 MiB.
  /// - Parameter limits: Those of what grows: steps of an episode, and the disk's floor with the thresholds of files.
  /// - Parameter index: The file of the search index, whose size is reported with those of the primary.
  /// - Parameter auditing: Whether writes leave records, and whose.
  /// - Parameter key: Where the key of encrypted domains comes from.
  /// - Parameter observer: Is told of commits.
  /// - Throws: `.notAStore`, `.unavailable`, `.busy` or `.corrupted`.
  package init(
    path: String, backups: String? = nil, isReadOnly: Bool = false, create: Bool = true,
    durability: Memory.Durability = .full,
    busyTimeout: Duration = .seconds(30), maximumPageCount: Int? = nil, pageCacheBytes: Int? = nil,
    clock: any WallClock = SystemClock(),
    migrationClock: (any WallClock)? = nil, limits: Memory.Limits = Memory.Limits(), index: String? = nil,
    auditing: Auditing = .off, key: KeyProvider? = nil, observer: StoreObserver = StoreObserver(),
    logger: Logger
  ) async throws(MemoryError) {
    growth = GrowthLimits(limits, path: path, index: index, logger: logger)
    audit = try AuditPolicy(auditing, clock: migrationClock ?? clock)
    keyring = StoreKeyring(key, tokenizers)
    appends = StepAppend.batch(growth, audit, keyring)
    fullDisk = FullDiskRelief(growth.disk)
    var configuration = WALDatabase.Configuration(
      applicationID: Schema.applicationID, migrations: Schema.migrations, schemaDigest: Schema.digest,
      synchronous: durability == .full ? .full : .normal, access: isReadOnly ? .readOnly : .readWrite, create: create,
      busyTimeout: busyTimeout, maximumPageCount: maximumPageCount,
      safeguard: MigrationBackup(folder: backups, clock: clock, logger: logger).make,
      maintenance: Self.maintenance(by: clock),
      report: { operation, error in
        logger.warning(
          "\(operation) of \(path) failed; it is tried again after a later commit",
          metadata: [
            "event": "primary.upkeep_failed", "path": "\(path)", "operation": "\(operation)", "error": "\(error)",
          ])
      })
    if let pageCacheBytes { configuration.pageCacheBytes = pageCacheBytes }
    configuration.committed = observer.committed
    configuration.now = { (migrationClock ?? clock).now().milliseconds }
    self.logger = logger
    self.busyTimeout = busyTimeout
    do {
      database = try await WALDatabase.open(path: path, configuration)
      identity = try await Self.identity(of: database, keyring)
    } catch {
      throw MemoryError(storage: error, path: path)
    }
  }

  /// Makes a primary in memory: no file is touched, and nothing is left of it after the last reference.
  ///
  /// - Parameter clock: Decides which idempotency keys are old, and dates the migrations.
  package init(
    inMemoryWith logger: Logger, clock: any WallClock = SystemClock(), limits: Memory.Limits = Memory.Limits(),
    auditing: Auditing = .off, key: KeyProvider? = nil
  ) async throws(MemoryError) {
    growth = GrowthLimits(maximumSteps: limits.stepsPerEpisode, disk: nil)
    audit = try AuditPolicy(auditing, clock: clock)
    keyring = StoreKeyring(key, tokenizers)
    appends = StepAppend.batch(growth, audit, keyring)
    fullDisk = FullDiskRelief(nil)
    self.logger = logger
    busyTimeout = .seconds(30)
    do {
      database = try await BlockingWork.shared.run {
        try InMemoryDatabase(
          applicationID: Schema.applicationID, migrations: Schema.migrations, now: { clock.now().milliseconds },
          maintenance: Self.maintenance(by: clock))
      }
      identity = try await Self.identity(of: database, keyring)
    } catch {
      throw MemoryError(storage: error, path: "the store in memory")
    }
  }

  /// What is done every 256 commits, in a file and in memory alike.
  private static func maintenance(by clock: any WallClock) -> @Sendable (Database) throws -> Void {
    { db in
      try FeedPruning.prune(db, at: clock.now(), limit: FeedPruning.rowsAtOnce)
      try IdempotencyKeys.prune(db, at: clock.now())
      _ = try Analysis.analyse(limit: Analysis.rowsAtOnce, db)
    }
  }

  /// Reads the identity of a database that was opened, whether it has encrypted domains, and refuses writes if there is reason to.
  private static func identity(
    of database: any StoredDatabase, _ keyring: StoreKeyring
  ) async throws -> StoreIdentity {
    let (uuid, hasKeys, refusal) = try await database.read { db in
      (
        try String.fetchOne(db, sql: "SELECT uuid FROM store"),
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM domain_keys)"), try Self.reasonToRefuseWrites(db)
      )
    }
    if hasKeys == true { keyring.hasSeenKeys = true }
    if let refusal { database.refuseWrites(because: refusal) }
    guard let uuid else {
      throw MemoryError(.corrupted, "\(database.path) has lost its identity; restore a backup")
    }
    return StoreIdentity(rawValue: uuid)
  }

  package func commitStamp() throws(MemoryError) -> CommitStamp {
    do {
      return try database.commitStamp()
    } catch {
      throw explained(error)
    }
  }

  /// - Parameter makeRoom: Called on another thread when a write finds the disk full; then the write is retried once.
  package func onFullDisk(_ makeRoom: @escaping @Sendable () -> Void) { fullDisk.set(makeRoom) }

  package func close() async throws(MemoryError) {
    do {
      try await database.close()
    } catch {
      throw explained(error)
    }
  }

  // MARK: Snapshots

  package func changes(after watermark: Watermark?, limit: Int) async throws(MemoryError) -> ChangeBatch {
    try await readRows { db in try ChangeFeed.changes(after: watermark, limit: limit, db) }
  }

  package func watchedChanges(
    after position: Watermark?, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> WatchedChanges {
    let identity = identity
    return try await readRows { db in
      try ChangeFeed.watched(after: position, in: scope, of: identity, limit: limit, db)
    }
  }

  package func waitForCommit(after stamp: CommitStamp) async throws(MemoryError) {
    do {
      try await database.waitForCommit(after: stamp)
    } catch {
      throw explained(error)
    }
  }

  package func read<Value: Sendable>(
    _ body: @escaping @Sendable (any PrimarySnapshot) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let (path, tokenizers, totals) = (database.path, tokenizers, totals)
    return try await readRows { db in try SQLiteSnapshot.lend(db, path, tokenizers, totals, body) }
  }

  package func readWithoutWaiting<Value>(
    _ body: (any PrimarySnapshot) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value? {
    do {
      return try database.readWithoutWaiting { db in
        try KeySession.run(keyring) {
          try SQLiteSnapshot.lend(db, database.path, tokenizers, totals, body)
        }
      }
    } catch {
      let error = explained(error)
      // `read` waits for the lock; this does not.
      if error.code == .busy { return nil }
      throw error
    }
  }

  // MARK: Transactions

  package func write<Value: Sendable>(
    in scope: Query.Scope, _ body: @escaping @Sendable (any PrimaryTransaction) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let (path, growth) = (database.path, growth)
    return try await writeAudited { db, log in
      try SQLiteTransaction.lend(db, path: path, scope: scope, growth, log, body)
    }
  }

  package func append(
    _ steps: [Step.Draft], to id: Episode.ID, at now: Timestamp, in scope: Query.Scope
  ) async throws(MemoryError) -> [Step] {
    do {
      return try await fullDisk.retrying {
        try await database.write(StepAppend(drafts: steps, episode: id, now: now, scope: scope), in: appends)
      }
    } catch {
      throw explained(error)
    }
  }

  /// Reads from one snapshot.
  func readRows<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(MemoryError) -> Value {
    let keyring = keyring
    do {
      return try await database.read { db in try KeySession.run(keyring) { try body(db) } }
    } catch {
      throw explained(error)
    }
  }

  /// Reads a value and the watermark of its snapshot.
  func readVersioned<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(MemoryError) -> Versioned<Value> {
    try await readRows { db in
      let value = try body(db)
      return Versioned(value, asOf: try ChangeFeed.watermark(db), isCacheable: !KeySession.hasOpened)
    }
  }

  /// Writes in a transaction; an error rolls it back.
  func writeRows<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(MemoryError) -> Value {
    let keyring = keyring
    do {
      return try await fullDisk.retrying {
        try await database.write { db in try KeySession.run(keyring) { try body(db) } }
      }
    } catch {
      throw explained(error)
    }
  }

  /// The error of the storage as a `MemoryError`; after an error that shows damage the database takes no more writes.
  func explained(_ error: any Error) -> MemoryError {
    let explained = MemoryError(storage: error, path: database.path)
    // Only the plain code: a full-text index that differs from its table has an extended one, and `rebuild` repairs it.
    if let cause = explained.cause as? DatabaseError, cause.extendedResultCode == .SQLITE_CORRUPT {
      database.refuseWrites(because: cause.message ?? "SQLite found a malformed page")
    }
    return explained
  }
}
