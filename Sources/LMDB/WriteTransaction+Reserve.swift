import CLMDB

extension WriteTransaction {
  /// Sets a key's value to bytes that `fill` writes in place, which saves the copy from a buffer.
  ///
  /// - Parameter count: Bytes of the value.
  /// - Parameter fill: Appends exactly `count` bytes.
  /// - Throws: `.valueSize` if `fill` leaves some out; the value then has zeros in their place, for whoever does not
  ///   let the error abort the transaction.
  public mutating func put(
    reserving count: Int, for key: RawSpan, in database: Database,
    _ fill: (inout OutputRawSpan) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    try handle.check(key, in: database)
    let memory = try key.withUnsafeBytes { key throws(LMDBError) in try reserve(count, key, database) }
    try Self.fill(memory, database, fill)
  }

  public mutating func put(
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
    // What was left out would be somebody's old heap memory, and go to the file.
    output.append(repeating: 0, count: output.freeCapacity, as: UInt8.self)
    _ = output.finalize(for: memory)
    if let failure { throw failure }
  }
}
