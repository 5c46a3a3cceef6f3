import CLMDB

/// The reads of a transaction of either kind, for code that keeps them at hand while it runs: it may be copied, but neither
/// it nor what it lends outlives the borrow of the transaction, and so nothing changes in between.
public struct TransactionView: ~Escapable {
  private let handle: TransactionHandle

  @_lifetime(borrow transaction)
  fileprivate init(_ transaction: borrowing some Transaction & ~Copyable) { handle = transaction.handle }

  /// As `Transaction.get`.
  @_lifetime(copy self)
  public func get(_ key: RawSpan, in database: Database) throws(LMDBError) -> RawSpan? {
    guard let bytes = try handle.get(key, in: database) else { return nil }
    return _overrideLifetime(RawSpan(_unsafeBytes: bytes), copying: self)
  }

  /// A cursor before the first entry.
  @_lifetime(copy self)
  public func cursor(in database: Database) throws(LMDBError) -> Cursor {
    let cursor = try Cursor(handle, database)
    return _overrideLifetime(cursor, copying: self)
  }
}

extension Transaction where Self: ~Copyable {
  public var view: TransactionView {
    @_lifetime(borrow self)
    get { TransactionView(self) }
  }
}
