import CLMDB

extension WriteTransaction {
  /// Sets a key's value, whether or not it had one.
  ///
  /// - Throws: `.keySize`, `.mapFull`, `.transactionFull`, `.valueSize`.
  public mutating func put(_ value: RawSpan, for key: RawSpan, in database: Database) throws(LMDBError) {
    try handle.check(key, in: database)
    _ = try key.withUnsafeBytes { key throws(LMDBError) in try put(value, key, database, 0) }
  }

  public mutating func put(_ value: RawSpan, for key: UInt64, in database: Database) throws(LMDBError) {
    try handle.checkIntegerKeys(of: database)
    _ = try withUnsafeBytes(of: key) { key throws(LMDBError) in try put(value, key, database, 0) }
  }

  /// Sets a key's value if it has none.
  ///
  /// - Returns: Whether it had none.
  public mutating func insert(_ value: RawSpan, for key: RawSpan, in database: Database) throws(LMDBError) -> Bool {
    try handle.check(key, in: database)
    return try key.withUnsafeBytes { key throws(LMDBError) in try put(value, key, database, MDB_NOOVERWRITE) }
  }

  public mutating func insert(_ value: RawSpan, for key: UInt64, in database: Database) throws(LMDBError) -> Bool {
    try handle.checkIntegerKeys(of: database)
    return try withUnsafeBytes(of: key) { key throws(LMDBError) in try put(value, key, database, MDB_NOOVERWRITE) }
  }

  /// Adds an entry behind the last one. Faster than `put`, and leaves pages full.
  ///
  /// - Throws: `.keyOrder` unless the key is greater than every other.
  public mutating func append(_ value: RawSpan, for key: RawSpan, in database: Database) throws(LMDBError) {
    try handle.check(key, in: database)
    _ = try key.withUnsafeBytes { key throws(LMDBError) in try put(value, key, database, MDB_APPEND) }
  }

  public mutating func append(_ value: RawSpan, for key: UInt64, in database: Database) throws(LMDBError) {
    try handle.checkIntegerKeys(of: database)
    _ = try withUnsafeBytes(of: key) { key throws(LMDBError) in try put(value, key, database, MDB_APPEND) }
  }

  /// - Returns: Whether there was an entry to delete.
  @discardableResult
  public mutating func delete(_ key: RawSpan, in database: Database) throws(LMDBError) -> Bool {
    try handle.check(key, in: database)
    return try key.withUnsafeBytes { key throws(LMDBError) in try delete(key, database) }
  }

  @discardableResult
  public mutating func delete(_ key: UInt64, in database: Database) throws(LMDBError) -> Bool {
    try handle.checkIntegerKeys(of: database)
    return try withUnsafeBytes(of: key) { key throws(LMDBError) in try delete(key, database) }
  }

  /// Deletes every entry; the database stays open. O(*pages*).
  public mutating func removeAll(in database: Database) throws(LMDBError) {
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
