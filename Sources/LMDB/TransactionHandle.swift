import CLMDB

/// LMDB's side of a transaction, opaque to the outside; of no use to whoever copies it out.
public struct TransactionHandle {
  let transaction: OpaquePointer
  // Unowned because the environment lends the transaction and so outlives it; counting references would cost as much
  // as beginning it.
  unowned(unsafe) let environment: Environment

  /// Bytes inside the map, good until the transaction ends or, in a write transaction, changes something.
  func get(_ key: RawSpan, in database: Database) throws(LMDBError) -> UnsafeRawBufferPointer? {
    try check(key, in: database)
    return try key.withUnsafeBytes { key throws(LMDBError) in try get(key, database) }
  }

  func get(_ key: UInt64, in database: Database) throws(LMDBError) -> UnsafeRawBufferPointer? {
    try checkIntegerKeys(of: database)
    return try withUnsafeBytes(of: key) { key throws(LMDBError) in try get(key, database) }
  }

  private func get(_ key: UnsafeRawBufferPointer, _ database: Database) throws(LMDBError) -> UnsafeRawBufferPointer? {
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
