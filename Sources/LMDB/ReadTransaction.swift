import CLMDB
import Synchronization

/// A snapshot of the last commit before it began, lent by `Environment.read`.
@usableFromInline
package struct ReadTransaction: ~Copyable, Transaction {
  let handle: TransactionHandle

  @usableFromInline
  package var view: TransactionView {
    @_lifetime(borrow self)
    get { _overrideLifetime(TransactionView(handle), borrowing: self) }
  }

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
      // The process locks the byte of its own number in the lock file; these two codes mean that another has locked it.
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

/// Read transactions that were reset and keep their slots in the reader table, to be renewed.
///
/// Beginning a transaction locks the reader table in shared memory, and a process that is stopped inside that lock holds up
/// every reader of every process. Renewing one takes no lock: a process enters the reader table only when more of its threads
/// read at once than ever before.
final class ReaderPool: Sendable {
  // Few, because an idle transaction takes one of the slots that all processes share.
  private let first = Atomic<UInt>(0)
  private let second = Atomic<UInt>(0)
  private let third = Atomic<UInt>(0)
  private let fourth = Atomic<UInt>(0)

  /// A transaction to renew, which belongs to the caller from here on.
  func take() -> OpaquePointer? {
    Self.take(first) ?? Self.take(second) ?? Self.take(third) ?? Self.take(fourth)
  }

  /// Keeps a transaction that was reset.
  ///
  /// - Returns: False if there is no room: then it must be aborted.
  func put(_ transaction: OpaquePointer) -> Bool {
    Self.put(transaction, first) || Self.put(transaction, second) || Self.put(transaction, third)
      || Self.put(transaction, fourth)
  }

  /// Frees all of them. The environment must be open and without transactions.
  func drain() {
    while let transaction = take() { mdb_txn_abort(transaction) }
  }

  @inline(__always)
  private static func take(_ place: borrowing Atomic<UInt>) -> OpaquePointer? {
    // Read first, because an exchange takes the cache line from threads that read it.
    guard place.load(ordering: .relaxed) != 0 else { return nil }
    return OpaquePointer(bitPattern: place.exchange(0, ordering: .acquiring))
  }

  @inline(__always)
  private static func put(_ transaction: OpaquePointer, _ place: borrowing Atomic<UInt>) -> Bool {
    guard place.load(ordering: .relaxed) == 0 else { return false }
    return place.compareExchange(expected: 0, desired: UInt(bitPattern: transaction), ordering: .releasing).exchanged
  }
}
