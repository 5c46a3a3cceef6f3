import LMDB

/// What the index can read in one transaction. Pointers it gives out are into the map: they end with the transaction, and
/// in a write transaction with its next change.
struct WordSnapshot {
  let transaction: LentTransaction
  let index: WordIndex

  init(_ handle: TransactionHandle, _ index: WordIndex) {
    transaction = LentTransaction(handle: handle)
    self.index = index
  }

  /// A value that never changes, without its seal; checked the first time this process meets it.
  func immutable(
    _ segment: UInt32, _ kind: WordKey.Kind, _ field: WordField, _ number: UInt32, _ what: StaticString
  ) throws(LMDBError) -> UnsafeRawBufferPointer? {
    try WordKey.withBytes(segment, kind, field, number) { bytes throws(LMDBError) -> UnsafeRawBufferPointer? in
      let key = RawSpan(_unsafeBytes: bytes)
      guard let value = try raw(key) else { return nil }
      return try index.seal.open(value, key: key, verified: index.verified, what)
    }
  }

  /// A value that may have changed since the last look, without its seal; checked each time.
  func mutable(_ key: [UInt8], _ what: StaticString) throws(LMDBError) -> UnsafeRawBufferPointer? {
    guard let value = try raw(key.span.bytes) else { return nil }
    return try index.seal.open(value, key: key.span.bytes, verified: nil, what)
  }

  func raw(_ key: RawSpan) throws(LMDBError) -> UnsafeRawBufferPointer? {
    guard let span = try transaction.get(key, in: index.database) else { return nil }
    return span.withUnsafeBytes { $0 }
  }
}
