import CLMDB

/// What can be read in a transaction of either kind.
@usableFromInline
package protocol Transaction: ~Copyable {
  var view: TransactionView {
    @_lifetime(borrow self)
    get
  }
}

extension Transaction where Self: ~Copyable {
  /// The value of a key, in place; `nil` if there is none.
  ///
  /// The span is memory of the map. It has no alignment, and its bytes are not verified: LMDB keeps no checksum.
  ///
  /// - Throws: `.keySize` unless the key has 1...511 bytes, `.invalid` for a database of integer keys.
  @inlinable
  @_lifetime(borrow self)
  package func get(_ key: RawSpan, in database: Database) throws(LMDBError) -> RawSpan? {
    try view.get(key, in: database)
  }

  /// The value of an integer key, in place; `nil` if there is none.
  ///
  /// - Throws: `.invalid` for a database of byte keys.
  @inlinable
  @_lifetime(borrow self)
  package func get(_ key: UInt64, in database: Database) throws(LMDBError) -> RawSpan? {
    try view.get(key, in: database)
  }

  /// A cursor before the first entry.
  @inlinable
  @_lifetime(borrow self)
  package func cursor(in database: Database) throws(LMDBError) -> Cursor {
    try view.cursor(in: database)
  }

  /// Number of entries. Takes constant time.
  @inlinable
  package func count(in database: Database) throws(LMDBError) -> Int {
    try view.count(in: database)
  }
}

/// The reads of a transaction of either kind, for code that keeps them at hand while it runs: it may be copied, but neither
/// it nor what it lends outlives the borrow of the transaction, so nothing changes in between.
@usableFromInline
package struct TransactionView: ~Escapable {
  private let handle: TransactionHandle

  @_lifetime(immortal)
  init(_ handle: TransactionHandle) { self.handle = handle }

  @usableFromInline
  @_lifetime(copy self)
  package func get(_ key: RawSpan, in database: Database) throws(LMDBError) -> RawSpan? {
    try handle.check(key, in: database)
    let value = try key.withUnsafeBytes { key throws(LMDBError) in try handle.get(key, in: database) }
    guard let value else { return nil }
    return _overrideLifetime(RawSpan(_unsafeBytes: value), copying: self)
  }

  @usableFromInline
  @_lifetime(copy self)
  package func get(_ key: UInt64, in database: Database) throws(LMDBError) -> RawSpan? {
    try handle.checkIntegerKeys(of: database)
    let value = try withUnsafeBytes(of: key) { key throws(LMDBError) in try handle.get(key, in: database) }
    guard let value else { return nil }
    return _overrideLifetime(RawSpan(_unsafeBytes: value), copying: self)
  }

  @usableFromInline
  @_lifetime(copy self)
  package func cursor(in database: Database) throws(LMDBError) -> Cursor {
    let cursor = try Cursor(handle, database)
    return _overrideLifetime(cursor, copying: self)
  }

  @usableFromInline
  package func count(in database: Database) throws(LMDBError) -> Int {
    try handle.check(database)
    var status = MDB_stat()
    let returnCode = mdb_stat(handle.transaction, database.handle, &status)
    if returnCode != MDB_SUCCESS { throw handle.error(returnCode, "count entries", database) }
    return status.ms_entries
  }
}

/// The pointers of a transaction, inside this module alone: whatever is lent to the outside is bound to the transaction's lifetime.
struct TransactionHandle {
  let transaction: OpaquePointer
  // Unowned because the environment lends the transaction and so outlives it; counting references would cost as much
  // as beginning it.
  unowned(unsafe) let environment: Environment

  /// Bytes inside the map, valid until the transaction ends or, in a write transaction, changes something.
  func get(_ key: UnsafeRawBufferPointer, in database: Database) throws(LMDBError) -> UnsafeRawBufferPointer? {
    var key = MDB_val(key)
    var value = MDB_val()
    let returnCode = mdb_get(transaction, database.handle, &key, &value)
    if returnCode == MDB_SUCCESS { return value.bytes }
    if returnCode == MDB_NOTFOUND { return nil }
    throw error(returnCode, "get a value", database)
  }

  // MARK: Checks before each call

  func check(_ database: Database) throws(LMDBError) {
    guard database.environmentSerial == environment.serial else {
      throw LMDBError(
        .invalid, message: "database \(database.name) belongs to another environment than \(environment.path)")
    }
  }

  func check(_ key: RawSpan, in database: Database) throws(LMDBError) {
    try check(database)
    guard database.keys == .bytes else {
      throw LMDBError(.invalid, message: "database \(database.name) in \(environment.path) has integers for keys")
    }
    let count = key.byteCount
    guard count >= 1, count <= 511 else {
      throw LMDBError(.keySize, message: "a key of \(count) bytes for database \(database.name): not 1...511")
    }
  }

  func checkIntegerKeys(of database: Database) throws(LMDBError) {
    try check(database)
    guard database.keys == .integers else {
      throw LMDBError(.invalid, message: "database \(database.name) in \(environment.path) has bytes for keys")
    }
  }

  func error(_ returnCode: Int32, _ operation: String, _ database: Database) -> LMDBError {
    LMDBError(returnCode: returnCode, operation: "\(operation) of database \(database.name)", path: environment.path)
  }
}

extension MDB_val {
  init(_ bytes: UnsafeRawBufferPointer) {
    self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }

  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: mv_data, count: mv_data == nil ? 0 : mv_size)
  }
}
