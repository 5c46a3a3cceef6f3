import EpisodicMemory
import GRDB
import StoreRows

/// A write transaction of the primary, valid until the closure of `SQLitePrimaryStore.write` returns.
struct SQLiteTransaction: PrimaryTransaction {
  let db: Database
  /// Of the database file; for errors.
  let path: String
  let scope: Query.Scope
  let growth: GrowthLimits
  /// `nil` if nothing is recorded.
  let audit: AuditLog?
  private let state = State()

  private final class State {
    /// Why the transaction can only be rolled back.
    var failure: (any Error)?
  }

  init(_ db: Database, path: String, scope: Query.Scope, _ growth: GrowthLimits, _ audit: AuditLog?) {
    self.audit = audit
    self.db = db
    self.path = path
    self.scope = scope
    self.growth = growth
  }

  /// Runs a body that is lent a transaction.
  ///
  /// - Throws: The error of the storage that ended the transaction, also if the body caught it; what the body throws.
  static func lend<Value>(
    _ db: Database, path: String, scope: Query.Scope, _ growth: GrowthLimits, _ audit: AuditLog?,
    _ body: (any PrimaryTransaction) throws(MemoryError) -> Value
  ) throws -> Value {
    let transaction = SQLiteTransaction(db, path: path, scope: scope, growth, audit)
    let outcome: Result<Value, MemoryError>
    do throws(MemoryError) { outcome = .success(try body(transaction)) } catch { outcome = .failure(error) }
    if let failure = transaction.state.failure { throw failure }
    return try outcome.get()
  }

  /// Runs a verb and maps errors of the storage.
  ///
  /// A verb that is refused before it writes leaves the transaction as it was. After any other error nothing more is
  /// written: SQLite may have rolled back already, and the next statement would commit by itself.
  ///
  /// - Parameter grows: Whether the verb makes the store larger, which takes room on the disk.
  func perform<Value>(grows: Bool = false, _ verb: () throws -> Value) throws(MemoryError) -> Value {
    if let failure = state.failure { throw MemoryError(storage: failure, path: path) }
    let before = db.totalChangesCount
    do {
      if grows { try growth.requireRoom() }
      return try verb()
    } catch {
      let isRefusal = error is MemoryError && db.totalChangesCount == before && db.isInsideTransaction
      if !isRefusal { state.failure = error }
      throw MemoryError(storage: error, path: path)
    }
  }
}
