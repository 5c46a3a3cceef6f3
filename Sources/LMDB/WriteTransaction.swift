import CLMDB

/// The one transaction that may change something, lent by `Environment.write`.
///
/// Reads in it see its own writes. A span or cursor that it lends ends before the next change; the compiler enforces that.
@usableFromInline
package struct WriteTransaction: ~Copyable, Transaction {
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

extension WriteTransaction {
  /// Sets a key's value, whether or not it had one.
  ///
  /// - Throws: `.keySize`, `.mapFull`, `.transactionFull`, `.valueSize`.
  package mutating func put(_ value: RawSpan, for key: RawSpan, in database: Database) throws(LMDBError) {
    try handle.check(key, in: database)
    _ = try key.withUnsafeBytes { key throws(LMDBError) in try put(value, key, database, 0) }
  }

  package mutating func put(_ value: RawSpan, for key: UInt64, in database: Database) throws(LMDBError) {
    try handle.checkIntegerKeys(of: database)
    _ = try withUnsafeBytes(of: key) { key throws(LMDBError) in try put(value, key, database, 0) }
  }

  /// Sets a key's value if it has none.
  ///
  /// - Returns: Whether it had none.
  package mutating func insert(_ value: RawSpan, for key: RawSpan, in database: Database) throws(LMDBError) -> Bool {
    try handle.check(key, in: database)
    return try key.withUnsafeBytes { key throws(LMDBError) in try put(value, key, database, MDB_NOOVERWRITE) }
  }

  package mutating func insert(_ value: RawSpan, for key: UInt64, in database: Database) throws(LMDBError) -> Bool {
    try handle.checkIntegerKeys(of: database)
    return try withUnsafeBytes(of: key) { key throws(LMDBError) in try put(value, key, database, MDB_NOOVERWRITE) }
  }

  /// Adds an entry behind the last one. Faster than `put`, and leaves pages full.
  ///
  /// - Throws: `.keyOrder` unless the key is greater than every other.
  package mutating func append(_ value: RawSpan, for key: RawSpan, in database: Database) throws(LMDBError) {
    try handle.check(key, in: database)
    _ = try key.withUnsafeBytes { key throws(LMDBError) in try put(value, key, database, MDB_APPEND) }
  }

  package mutating func append(_ value: RawSpan, for key: UInt64, in database: Database) throws(LMDBError) {
    try handle.checkIntegerKeys(of: database)
    _ = try withUnsafeBytes(of: key) { key throws(LMDBError) in try put(value, key, database, MDB_APPEND) }
  }

  /// - Returns: Whether there was an entry to delete.
  @discardableResult
  package mutating func delete(_ key: RawSpan, in database: Database) throws(LMDBError) -> Bool {
    try handle.check(key, in: database)
    return try key.withUnsafeBytes { key throws(LMDBError) in try delete(key, database) }
  }

  @discardableResult
  package mutating func delete(_ key: UInt64, in database: Database) throws(LMDBError) -> Bool {
    try handle.checkIntegerKeys(of: database)
    return try withUnsafeBytes(of: key) { key throws(LMDBError) in try delete(key, database) }
  }

  /// Deletes every entry; the database stays open. O(*pages*).
  package mutating func removeAll(in database: Database) throws(LMDBError) {
    try handle.check(database)
    let returnCode = mdb_drop(handle.transaction, database.handle, 0)
    if returnCode != MDB_SUCCESS { throw handle.error(returnCode, "delete all entries", database) }
  }

  // MARK: The calls themselves

  /// - Returns: False if `MDB_NOOVERWRITE` found the key there.
  private func put(
    _ value: RawSpan, _ key: UnsafeRawBufferPointer, _ database: Database, _ flags: Int32
  ) throws(LMDBError) -> Bool {
    let returnCode = value.withUnsafeBytes { value in
      var key = MDB_val(key)
      var value = MDB_val(value)
      return mdb_put(handle.transaction, database.handle, &key, &value, UInt32(flags))
    }
    if returnCode == MDB_KEYEXIST, flags == MDB_NOOVERWRITE { return false }
    if returnCode != MDB_SUCCESS { throw handle.error(returnCode, "put a value", database) }
    return true
  }

  private func delete(_ key: UnsafeRawBufferPointer, _ database: Database) throws(LMDBError) -> Bool {
    var key = MDB_val(key)
    let returnCode = mdb_del(handle.transaction, database.handle, &key, nil)
    if returnCode == MDB_NOTFOUND { return false }
    if returnCode != MDB_SUCCESS { throw handle.error(returnCode, "delete a value", database) }
    return true
  }
}

extension WriteTransaction {
  /// Sets a key's value to bytes that `fill` writes in place, which saves the copy from a buffer.
  ///
  /// - Parameter count: Bytes of the value.
  /// - Parameter fill: Appends exactly `count` bytes.
  /// - Throws: `.valueSize` if `fill` leaves some out; the value then has zeros in their place, in case the error does not
  ///   abort the transaction.
  package mutating func put(
    reserving count: Int, for key: RawSpan, in database: Database,
    _ fill: (inout OutputRawSpan) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    try handle.check(key, in: database)
    let memory = try key.withUnsafeBytes { key throws(LMDBError) in try reserve(count, key, database) }
    try Self.fill(memory, database, fill)
  }

  package mutating func put(
    reserving count: Int, for key: UInt64, in database: Database,
    _ fill: (inout OutputRawSpan) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    try handle.checkIntegerKeys(of: database)
    let memory = try withUnsafeBytes(of: key) { key throws(LMDBError) in try reserve(count, key, database) }
    try Self.fill(memory, database, fill)
  }

  private func reserve(
    _ count: Int, _ key: UnsafeRawBufferPointer, _ database: Database
  ) throws(LMDBError) -> UnsafeMutableRawBufferPointer {
    guard count >= 0 else {
      throw LMDBError(.valueSize, message: "cannot reserve \(count) bytes in database \(database.name)")
    }
    var key = MDB_val(key)
    var value = MDB_val(mv_size: count, mv_data: nil)
    let returnCode = mdb_put(handle.transaction, database.handle, &key, &value, UInt32(MDB_RESERVE))
    if returnCode != MDB_SUCCESS { throw handle.error(returnCode, "reserve a value", database) }
    return UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_data == nil ? 0 : count)
  }

  private static func fill(
    _ memory: UnsafeMutableRawBufferPointer, _ database: Database,
    _ body: (inout OutputRawSpan) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    var output = OutputRawSpan(buffer: memory, initializedCount: 0)
    var failure: LMDBError?
    do throws(LMDBError) {
      try body(&output)
      if !output.isFull {
        failure = LMDBError(
          .valueSize,
          message: "\(output.byteCount) of \(memory.count) reserved bytes were filled in database \(database.name)")
      }
    } catch {
      failure = error
    }
    // What was left out would be old heap memory, written to the file.
    output.append(repeating: 0, count: output.freeCapacity, as: UInt8.self)
    _ = output.finalize(for: memory)
    if let failure { throw failure }
  }
}
