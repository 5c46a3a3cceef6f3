import CLMDB
package import FileLocks
import Synchronization

/// One LMDB environment: a directory with a memory-mapped data file and a lock file, shared between processes.
///
/// A path is one environment in a process (I5). Readers never wait, neither for each other nor for the writer; there is
/// one writer at a time over all processes. Not usable in a child after `fork`, nor on a network file system.
///
/// Closes when the last reference goes, or with `close()`.
// Unchecked because of `pointer`: LMDB allows its handle on any thread while it is open, and `use` counts the transactions
// and calls inside, so that it closes after the last of them.
@usableFromInline
package final class Environment: @unchecked Sendable {
  /// The directory as it was given to the first `open`.
  package let path: String

  package let options: Options

  let pointer: OpaquePointer
  /// Of the data file.
  package let identity: FileIdentity
  let serial: UInt64
  let databases = Mutex<[String: Database]>([:])
  let readers = ReaderPool()
  private let region: LockRegion?

  /// Transactions and calls inside LMDB at this moment; `closedFlag` is set when none may begin any more.
  private let use = Atomic<UInt>(0)
  private static let closedFlag: UInt = 1 << (UInt.bitWidth - 1)

  /// The thread that holds the write transaction, 0 for none. Only that thread ever finds its own number here.
  private let writer = Atomic<UInt>(0)

  /// - Parameter pointer: An open environment, owned from here on.
  init(
    pointer: OpaquePointer, path: String, options: Options, identity: FileIdentity, serial: UInt64, region: LockRegion?
  ) {
    self.pointer = pointer
    self.path = path
    self.options = options
    self.identity = identity
    self.serial = serial
    self.region = region
  }

  deinit {
    release()
  }

  /// Lends a snapshot of the last commit.
  ///
  /// `body` is synchronous, so a snapshot cannot be carried over a suspension, which would pin freed pages. Values
  /// read from it are spans into the map, and the compiler keeps them inside.
  ///
  /// - Throws: What `body` throws; `.readersFull` or `.unavailable` if there is no snapshot to be had.
  /// - Complexity: Under 100 ns over `body`; nothing is allocated but LMDB's own transaction.
  @inlinable
  package func read<Result: ~Copyable, Failure: LMDBFailure>(
    _ body: (borrowing ReadTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let transaction: ReadTransaction
    do throws(LMDBError) { transaction = try ReadTransaction.begin(in: self) } catch { throw Failure(error) }
    return try body(transaction)
  }

  /// Lends the one write transaction, commits it when `body` returns and aborts it when `body` throws.
  ///
  /// Waits for other writers, of this process and of others. After an error other than `keySize`, `keyOrder` or
  /// `invalid`, LMDB refuses to commit: let the error out.
  ///
  /// - Throws: What `body` throws; `.busy` inside another write on the same thread, which would wait for itself without a
  ///   bound; `.mapFull`, `.diskFull` and others from the commit, after which nothing of it is visible.
  @inlinable
  package func write<Result: ~Copyable, Failure: LMDBFailure>(
    _ body: (inout WriteTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var transaction: WriteTransaction
    do throws(LMDBError) { transaction = try WriteTransaction.begin(in: self) } catch { throw Failure(error) }
    let result = try body(&transaction)
    do throws(LMDBError) { try transaction.commit() } catch { throw Failure(error) }
    return result
  }

  /// Refuses transactions from now on, and closes the files when those in flight have ended.
  ///
  /// - Returns: Whether the files are closed on return, which is so unless a transaction is in flight.
  @discardableResult
  package func close() -> Bool {
    let (before, _) = use.bitwiseOr(Self.closedFlag, ordering: .acquiringAndReleasing)
    if before & ~Self.closedFlag != 0 { return false }
    release()
    return true
  }

  /// Refuses transactions from now on, and never closes the files: for files that were cut short under the process, in which
  /// closing, too, would touch memory that is not there any more. Costs their descriptors and address space.
  package func abandon() {
    _ = use.bitwiseOr(Self.closedFlag, ordering: .acquiringAndReleasing)
    EnvironmentRegistry.shared.withLock { $0.forget(identity, serial: serial) }
  }

  package var isClosed: Bool { use.load(ordering: .acquiring) & Self.closedFlag != 0 }

  /// Writes to disk what `.noMetaSync` and `.noSync` have left to the kernel. Takes as long as the disk does.
  package func sync() throws(LMDBError) {
    try enter()
    defer { leave() }
    try LMDBError.check(mdb_env_sync(pointer, 1), "sync", path)
  }

  /// Frees the reader slots of processes that died inside a read, which pin every page freed since.
  ///
  /// - Returns: How many slots were freed.
  @discardableResult
  package func checkReaders() throws(LMDBError) -> Int {
    try enter()
    defer { leave() }
    try awaitReaderTable()
    var dead: Int32 = 0
    try LMDBError.check(mdb_reader_check(pointer, &dead), "check readers", path)
    return Int(dead)
  }

  /// Before a call in which LMDB may lock the reader table; see `LockRegion`.
  func awaitReaderTable() throws(LMDBError) { try region?.awaitReaderTable() }

  // MARK: Counting transactions

  func enter() throws(LMDBError) {
    let (before, _) = use.add(1, ordering: .acquiring)
    if before & Self.closedFlag != 0 {
      leave()
      throw LMDBError(.unavailable, message: "cannot use the environment in \(path): it is closed")
    }
  }

  func leave() {
    let (_, after) = use.subtract(1, ordering: .acquiringAndReleasing)
    if after == Self.closedFlag { release() }
  }

  func enterAsWriter() throws(LMDBError) {
    if writer.load(ordering: .relaxed) == Self.thread {
      throw LMDBError(.busy, message: "cannot begin a write transaction in \(path): this thread is inside one")
    }
    try enter()
  }

  func claimWriter() { writer.store(Self.thread, ordering: .relaxed) }

  /// Comes before the commit or abort, while no other thread can have claimed it.
  func disclaimWriter() { writer.store(0, ordering: .relaxed) }

  private static var thread: UInt {
    #if canImport(Darwin)
      UInt(bitPattern: pthread_self())
    #else
      UInt(pthread_self())
    #endif
  }

  private func release() {
    EnvironmentRegistry.shared.withLock { $0.close(identity, serial: serial) }
  }
}
