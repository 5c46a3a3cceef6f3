public import EpisodicMemory
import GRDB
public import Logging
import SQLiteStorage

/// The primary in a SQLite file: `memory.sqlite`.
public final class SQLitePrimaryStore: PrimaryStore {
  /// Changes kept in the feed for caches and indexes that follow it; those further behind start anew.
  static let feedLength: Int64 = 200_000

  public let identity: StoreIdentity
  let database: WALDatabase
  let logger: Logger
  let appends = StepAppend.lane()
  let fullDisk = FullDiskRelief()
  /// As migration 003 declares it for the full-text indexes.
  let tokenizers = TokenizerPool(["porter", "unicode61", "remove_diacritics", "2"])

  /// Why nothing can be written; `nil` if it can.
  public var readOnlyReason: String? { database.readOnlyReason }

  /// Opens the file, makes it where that is wanted, and brings it to the newest schema.
  ///
  /// - Parameter isReadOnly: Whether to make and change no file. A file that cannot be written is opened so in any case.
  /// - Parameter busyTimeout: Bounds every wait for another process.
  /// - Parameter maximumPageCount: Bounds the file; for tests of a full disk.
  /// - Throws: `.notAStore`, `.unavailable`, `.busy` or `.corrupted`.
  public init(
    path: String, isReadOnly: Bool = false, create: Bool = true, durability: Durability = .full,
    busyTimeout: Duration = .seconds(30), maximumPageCount: Int? = nil, logger: Logger
  ) async throws(MemoryError) {
    let configuration = WALDatabase.Configuration(
      applicationID: Schema.applicationID, migrations: Schema.migrations, schemaDigest: Schema.digest,
      synchronous: durability == .full ? .full : .normal, access: isReadOnly ? .readOnly : .readWrite, create: create,
      busyTimeout: busyTimeout, maximumPageCount: maximumPageCount,
      maintenance: { db in try Self.pruneFeed(db) },
      report: { doing, error in
        logger.warning(
          "\(doing) of \(path) failed; it is tried again after a later commit", metadata: ["error": "\(error)"])
      })
    self.logger = logger
    do {
      database = try await WALDatabase.open(path: path, configuration)
      let (uuid, refusal) = try await database.read { db in
        (try String.fetchOne(db, sql: "SELECT uuid FROM store"), try Self.reasonToRefuseWrites(db))
      }
      if let refusal { database.refuseWrites(because: refusal) }
      guard let uuid else {
        throw MemoryError(.corrupted, "\(path) has lost its identity; restore a backup")
      }
      identity = StoreIdentity(rawValue: uuid)
    } catch {
      throw MemoryError(storage: error, path: path)
    }
  }

  public func commitStamp() throws(MemoryError) -> CommitStamp {
    do {
      return CommitStamp(try database.commitMark().words)
    } catch {
      throw explained(error)
    }
  }

  public func close() async throws(MemoryError) {
    do {
      try await database.close()
    } catch {
      throw explained(error)
    }
  }

  // MARK: Access

  /// Reads rows of one snapshot.
  func readRows<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(MemoryError) -> Value {
    do {
      return try await database.read(body)
    } catch {
      throw explained(error)
    }
  }

  /// Reads one snapshot and the last change in it.
  func readVersioned<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(MemoryError) -> Versioned<Value> {
    try await readRows { db in
      let value = try body(db)
      return Versioned(value, asOf: try SQLiteSnapshot.watermark(db))
    }
  }

  /// Writes in a transaction; an error undoes everything.
  func write<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(MemoryError) -> Value {
    do {
      return try await fullDisk.retrying { try await database.write(body) }
    } catch {
      throw explained(error)
    }
  }

  /// Says what an error of the storage means; a database that is damaged takes no more writes from then on.
  func explained(_ error: any Error) -> MemoryError {
    let explained = MemoryError(storage: error, path: database.path)
    // An index that does not fit its table is damage that `rebuild` mends: it has an extended code of its own.
    if let cause = explained.cause as? DatabaseError, cause.extendedResultCode == .SQLITE_CORRUPT {
      database.refuseWrites(because: cause.message ?? "SQLite met a page that is malformed")
    }
    return explained
  }
}
