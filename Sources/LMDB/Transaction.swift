import CLMDB

/// What can be read in a transaction of either kind.
public protocol Transaction: ~Copyable {
  var handle: TransactionHandle { get }
}

extension Transaction where Self: ~Copyable {
  /// The value of a key, in place; `nil` if there is none.
  ///
  /// The span is memory of the map. It has no alignment, and nothing vouches for its bytes: LMDB keeps no checksum.
  ///
  /// - Throws: `.keySize` unless the key has 1...511 bytes, `.invalid` for a database of integer keys.
  @_lifetime(borrow self)
  public func get(_ key: RawSpan, in database: Database) throws(LMDBError) -> RawSpan? {
    guard let bytes = try handle.get(key, in: database) else { return nil }
    return _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
  }

  /// The value of an integer key, in place; `nil` if there is none.
  ///
  /// - Throws: `.invalid` for a database of byte keys.
  @_lifetime(borrow self)
  public func get(_ key: UInt64, in database: Database) throws(LMDBError) -> RawSpan? {
    guard let bytes = try handle.get(key, in: database) else { return nil }
    return _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
  }

  /// A cursor before the first entry.
  @_lifetime(borrow self)
  public func cursor(in database: Database) throws(LMDBError) -> Cursor {
    let cursor = try Cursor(handle, database)
    return _overrideLifetime(cursor, borrowing: self)
  }

  /// Number of entries. Takes constant time.
  public func count(in database: Database) throws(LMDBError) -> Int {
    try handle.check(database)
    var status = MDB_stat()
    let returnCode = mdb_stat(handle.transaction, database.handle, &status)
    if returnCode != MDB_SUCCESS { throw handle.error(returnCode, "count entries", database) }
    return status.ms_entries
  }
}
