import CLMDB

/// A snapshot of the last commit before it began, lent by `Environment.read`.
public struct ReadTransaction: ~Copyable, Transaction {
  public let handle: TransactionHandle

  private init(handle: TransactionHandle) {
    self.handle = handle
  }

  @usableFromInline
  static func begin(in environment: Environment) throws(LMDBError) -> ReadTransaction {
    try environment.enter()
    var begun: OpaquePointer?
    let returnCode = mdb_txn_begin(environment.pointer, nil, UInt32(MDB_RDONLY), &begun)
    guard returnCode == MDB_SUCCESS, let begun else {
      environment.leave()
      throw LMDBError(returnCode: returnCode, operation: "begin a read transaction", path: environment.path)
    }
    return ReadTransaction(handle: TransactionHandle(transaction: begun, environment: environment))
  }

  deinit {
    mdb_txn_abort(handle.transaction)
    handle.environment.leave()
  }
}
