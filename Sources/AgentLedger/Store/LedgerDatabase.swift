import FileLocks
import GRDB
import Logging
import SQLiteStorage
import StoreRows
import StoreValues

/// `ledger.sqlite`, or a ledger in memory: reads are of one snapshot, writes share commits.
final class LedgerDatabase: Sendable {
  let stored: any StoredDatabase
  let clock: any WallClock
  let limits: Ledger.Limits
  let logger: Logger
  let pageLifetimes: Ledger.PageLifetimes
  private let disk: DiskWatch?
  var input: LedgerInput { LedgerInput(limits: limits) }

  init(_ stored: any StoredDatabase, _ options: Ledger.OpenOptions, disk: DiskWatch?) {
    self.stored = stored
    (clock, limits, logger) = (options.clock, options.limits, options.logger)
    pageLifetimes = options.pageLifetimes
    self.disk = disk
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(MemoryError) -> Value {
    do {
      return try await stored.read(body)
    } catch {
      throw explained(error)
    }
  }

  /// Writes in a transaction that is shared with other callers; an error undoes what `body` wrote. `body` may run twice.
  ///
  /// - Parameter grows: Whether it adds rows: refused while the disk has less left than the floor.
  /// - Parameter body: Gets the time of the transaction.
  func write<Value: Sendable>(
    grows: Bool = true, _ body: @escaping @Sendable (Database, _ now: Timestamp) throws -> Value
  ) async throws(MemoryError) -> Value {
    let (disk, clock) = (grows ? disk : nil, clock)
    do {
      return try await stored.write { db in
        try disk?.requireRoom()
        return try body(db, clock.now())
      }
    } catch {
      throw explained(error)
    }
  }

  /// Performs a request together with those of its batch that share the commit.
  func write<Request, Value>(
    _ request: Request, in batch: BatchedWrite<Request, Value>
  ) async throws(MemoryError) -> Value {
    do {
      return try await stored.write(request, in: batch)
    } catch {
      throw explained(error)
    }
  }

  /// A batch whose rows make the ledger grow.
  func batch<Request: Sendable, Value: Sendable>(
    _ perform: @escaping @Sendable ([Request], Database, _ now: Timestamp) throws -> [Result<Value, any Error>]
  ) -> BatchedWrite<Request, Value> {
    let (disk, clock) = (disk, clock)
    return BatchedWrite { requests, db in
      try disk?.requireRoom()
      return try perform(requests, db, clock.now())
    }
  }

  func close() async throws(MemoryError) {
    do {
      try await stored.close()
    } catch {
      throw explained(error)
    }
  }

  /// The error of the storage as a `MemoryError`; after an error that shows damage the database takes no more writes.
  func explained(_ error: any Error) -> MemoryError {
    let explained = MemoryError(storage: error, path: stored.path)
    if let cause = explained.cause as? DatabaseError, cause.extendedResultCode == .SQLITE_CORRUPT {
      stored.refuseWrites(because: cause.message ?? "SQLite found a malformed page")
    }
    return explained
  }
}
