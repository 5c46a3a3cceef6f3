import CLMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A snapshot of the last commit before it began, lent by `Environment.read`.
public struct ReadTransaction: ~Copyable, Transaction {
  public let handle: TransactionHandle

  private init(handle: TransactionHandle) {
    self.handle = handle
  }

  @usableFromInline
  static func begin(in environment: Environment) throws(LMDBError) -> ReadTransaction {
    try environment.enter()
    do throws(LMDBError) {
      var transaction = try renew(in: environment)
      if transaction == nil { transaction = try beginAnew(in: environment) }
      guard let transaction else {
        throw LMDBError(.unavailable, message: "no read transaction in \(environment.path)")
      }
      return ReadTransaction(handle: TransactionHandle(transaction: transaction, environment: environment))
    } catch {
      environment.leave()
      throw error
    }
  }

  /// `nil` if no transaction is left that could be renewed.
  private static func renew(in environment: Environment) throws(LMDBError) -> OpaquePointer? {
    guard let transaction = environment.readers.take() else { return nil }
    let returnCode = mdb_txn_renew(transaction)
    if returnCode == MDB_SUCCESS { return transaction }
    mdb_txn_abort(transaction)
    throw LMDBError(returnCode: returnCode, operation: "renew a read transaction", path: environment.path)
  }

  private static func beginAnew(in environment: Environment) throws(LMDBError) -> OpaquePointer? {
    try environment.awaitReaderTable()
    var begun: OpaquePointer?
    let returnCode = mdb_txn_begin(environment.pointer, nil, UInt32(MDB_RDONLY), &begun)
    guard returnCode == MDB_SUCCESS else {
      // The process locks the byte of its own number in the lock file, and these two say that another has it locked.
      if returnCode == EAGAIN || returnCode == EACCES {
        throw LMDBError(
          .processNumberTaken, returnCode: returnCode,
          message: "another process of number \(getpid()), in a PID namespace of its own, has \(environment.path) open")
      }
      throw LMDBError(returnCode: returnCode, operation: "begin a read transaction", path: environment.path)
    }
    return begun
  }

  deinit {
    mdb_txn_reset(handle.transaction)
    if !handle.environment.readers.put(handle.transaction) { mdb_txn_abort(handle.transaction) }
    handle.environment.leave()
  }
}
