import ByteCoding
import LMDB

/// The index as of one transaction, which it cannot outlive. Every function that reads takes it as a parameter.
///
/// It returns pointers into the map. Only the readers and cursors of a search or merge keep them, and those are released
/// before the call that made the snapshot returns.
struct Snapshot: ~Escapable {
  let transaction: TransactionView
  let index: InvertedIndex

  @_lifetime(copy transaction)
  init(_ transaction: TransactionView, _ index: InvertedIndex) {
    self.transaction = transaction
    self.index = index
  }

  /// An empty one if the index is new.
  func manifest() throws(LMDBError) -> Manifest {
    let key = Key.manifest
    guard let value = try transaction.get(key.span.bytes, in: index.database) else {
      var cursor = try transaction.cursor(in: index.database)
      if try cursor.first() != nil { throw .damagedWords("the manifest") }
      return Manifest()
    }
    let sealed = Seal.checksum(of: value)
    if let known = index.manifests[sealed] { return known }
    do throws(MalformedBytes) {
      let manifest = try Seal(key: key.span.bytes, generation: index.generation).decode(value) {
        bytes throws(MalformedBytes) in try Manifest(&bytes)
      }
      index.manifests.keep(manifest, sealed: sealed)
      return manifest
    } catch {
      throw .damagedWords("the manifest")
    }
  }

  /// The content of a value that is written once; verified the first time that this process reads it.
  func immutable(
    _ segment: UInt32, _ kind: Key.Kind, _ field: WordField, _ number: UInt32, _ what: StaticString
  ) throws(LMDBError) -> UnsafeRawBufferPointer? {
    try Key.withBytes(segment, kind, field, number) { key throws(LMDBError) -> UnsafeRawBufferPointer? in
      guard let value = try transaction.get(key.bytes, in: index.database) else { return nil }
      return try open(value, key: key.bytes, verified: index.verified, what)
    }
  }

  /// The content of a value that changes; verified each time.
  func mutable(_ key: [UInt8], _ what: StaticString) throws(LMDBError) -> UnsafeRawBufferPointer? {
    guard let value = try transaction.get(key.span.bytes, in: index.database) else { return nil }
    return try open(value, key: key.span.bytes, verified: nil, what)
  }

  func open(
    _ value: RawSpan, key: RawSpan, verified: VerifiedValues?, _ what: StaticString
  ) throws(LMDBError) -> UnsafeRawBufferPointer {
    do throws(MalformedBytes) {
      guard let verified else {
        return try Seal(key: key, generation: index.generation).open(value).withUnsafeBytes { $0 }
      }
      return try Seal.open(value, key: key, generation: index.generation, verified: verified).withUnsafeBytes { $0 }
    } catch {
      throw .damagedWords(what)
    }
  }
}

extension InvertedIndex {
  // Swift 6.3.1 crashes when it inlines this into a specialised caller.
  @inline(never)
  @_lifetime(borrow transaction)
  func snapshot(_ transaction: borrowing some Transaction & ~Copyable) -> Snapshot { Snapshot(transaction.view, self) }

  func manifest(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> Manifest {
    try snapshot(transaction).manifest()
  }

  func put(_ manifest: Manifest, in transaction: inout WriteTransaction) throws(LMDBError) {
    try put(manifest.encoded(), for: Key.manifest, in: &transaction)
  }

  /// Seals a value and puts it.
  func put(_ content: [UInt8], for key: [UInt8], in transaction: inout WriteTransaction) throws(LMDBError) {
    let value = Seal(key: key.span.bytes, generation: generation).sealed(content)
    try transaction.put(value.span.bytes, for: key.span.bytes, in: database)
  }

  /// Puts values that are sealed.
  func put(_ entries: [SegmentOutput.Entry], in transaction: inout WriteTransaction) throws(LMDBError) {
    for entry in entries { try transaction.put(entry.value.span.bytes, for: entry.key.span.bytes, in: database) }
  }

  /// Deletes a segment's values, or leaves that to `sweep` if there are many.
  func retire(
    _ segment: Manifest.Segment, _ manifest: inout Manifest, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    if segment.bytes < 1 << 18 {
      _ = try deleteValues(of: segment.id, limit: .max, in: &transaction)
    } else {
      manifest.retired.append(segment.id)
    }
  }

  /// - Returns: Whether all are deleted.
  func deleteValues(
    of segment: UInt32, limit: Int, in transaction: inout WriteTransaction
  ) throws(LMDBError) -> Bool {
    let prefix = Key.prefix(segment)
    var cursor = try transaction.writeCursor(in: database)
    var isOwn = try cursor.seek(atOrAfter: prefix.span.bytes)?.hasPrefix(prefix) ?? false
    var deleted = 0
    while isOwn {
      if deleted == limit { return false }
      try cursor.delete()
      deleted += 1
      isOwn = try cursor.next()?.hasPrefix(prefix) ?? false
    }
    return true
  }
}

extension Entry {
  func hasPrefix(_ prefix: some Collection<UInt8>) -> Bool { key.withUnsafeBytes { $0.starts(with: prefix) } }
}

extension LMDBError {
  /// - Parameter what: The part that is damaged: "a posting list".
  static func damagedWords(_ what: StaticString) -> LMDBError {
    LMDBError(.damaged, message: "\(what) of the word index is damaged")
  }
}
