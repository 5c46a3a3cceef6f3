import CLMDB

/// The one transaction that may change something, lent by `Environment.write`.
///
/// Reads in it see its own writes. A span it has lent, or a cursor, must be done with before the next change; the
/// compiler sees to that.
public struct WriteTransaction: ~Copyable, Transaction {
  public let handle: TransactionHandle

  private init(handle: TransactionHandle) {
    self.handle = handle
  }

  @usableFromInline
  static func begin(in environment: Environment) throws(LMDBError) -> WriteTransaction {
    try environment.enterAsWriter()
    var begun: OpaquePointer?
    let returnCode = mdb_txn_begin(environment.pointer, nil, 0, &begun)
    guard returnCode == MDB_SUCCESS, let begun else {
      environment.leave()
      throw LMDBError(returnCode: returnCode, operation: "begin a write transaction", path: environment.path)
    }
    environment.claimWriter()
    return WriteTransaction(handle: TransactionHandle(transaction: begun, environment: environment))
  }

  deinit {
    handle.environment.disclaimWriter()
    mdb_txn_abort(handle.transaction)
    handle.environment.leave()
  }

  @usableFromInline
  consuming func commit() throws(LMDBError) {
    let handle = handle
    discard self
    handle.environment.disclaimWriter()
    // Frees the transaction whether it succeeds or not.
    let returnCode = mdb_txn_commit(handle.transaction)
    handle.environment.leave()
    try LMDBError.check(returnCode, "commit", handle.environment.path)
  }
}
