import CLMDB

/// A key and its value where a cursor stands, in place.
package struct Entry: ~Escapable {
  package let key: RawSpan
  /// Has no alignment, and its bytes are not verified.
  package let value: RawSpan

  @_lifetime(copy key, copy value)
  init(key: RawSpan, value: RawSpan) {
    self.key = key
    self.value = value
  }

  /// The key of a database of integers; `nil` if the key has another length than 8 bytes.
  package var integerKey: UInt64? {
    guard key.byteCount == MemoryLayout<UInt64>.size else { return nil }
    return unsafe key.unsafeLoadUnaligned(as: UInt64.self)
  }
}

/// A position among the entries of a database, in key order.
///
/// Every move lends the entry it reaches until the next move, or returns `nil` behind the last or before the first. From
/// there it can only move back.
///
/// ```swift
/// var cursor = try transaction.cursor(in: database)
/// var entry = try cursor.seek(atOrAfter: key)
/// while let current = entry {
///   …
///   entry = try cursor.next()
/// }
/// ```
@usableFromInline
package struct Cursor: ~Copyable, ~Escapable {
  let handle: TransactionHandle
  let database: Database
  let pointer: OpaquePointer
  /// Kept here because LMDB's own answer differs: past an end, a move may start over and a delete may hit a neighbour.
  private(set) var place = Place.nowhere

  enum Place {
    /// Not moved yet: the next entry is the first, the previous one the last.
    case nowhere
    case onEntry
    /// At the place of a deleted entry, between its neighbours.
    case onDeleted
    case beforeFirst
    case behindLast
  }

  @_lifetime(immortal)
  init(_ handle: TransactionHandle, _ database: Database) throws(LMDBError) {
    try handle.check(database)
    var opened: OpaquePointer?
    let returnCode = mdb_cursor_open(handle.transaction, database.handle, &opened)
    guard returnCode == MDB_SUCCESS, let opened else {
      throw handle.error(returnCode, "open a cursor", database)
    }
    self.handle = handle
    self.database = database
    self.pointer = opened
  }

  deinit {
    mdb_cursor_close(pointer)
  }

  @_lifetime(&self)
  package mutating func first() throws(LMDBError) -> Entry? {
    guard let found = try move(MDB_FIRST, orElse: .behindLast) else { return nil }
    return _overrideLifetime(found.entry, mutating: &self)
  }

  @_lifetime(&self)
  package mutating func last() throws(LMDBError) -> Entry? {
    guard let found = try move(MDB_LAST, orElse: .beforeFirst) else { return nil }
    return _overrideLifetime(found.entry, mutating: &self)
  }

  /// The entry behind this one; the first, before any other move.
  @_lifetime(&self)
  package mutating func next() throws(LMDBError) -> Entry? {
    if place == .behindLast { return nil }
    let operation = place == .beforeFirst ? MDB_FIRST : MDB_NEXT
    guard let found = try move(operation, orElse: .behindLast) else { return nil }
    return _overrideLifetime(found.entry, mutating: &self)
  }

  /// The entry before this one; the last, before any other move.
  @_lifetime(&self)
  package mutating func previous() throws(LMDBError) -> Entry? {
    if place == .beforeFirst { return nil }
    let operation = place == .behindLast ? MDB_LAST : MDB_PREV
    guard let found = try move(operation, orElse: .beforeFirst) else { return nil }
    return _overrideLifetime(found.entry, mutating: &self)
  }

  /// The first entry whose key is not less than `key`.
  ///
  /// - Throws: `.keySize` unless the key has 1...511 bytes, `.invalid` for a database of integer keys.
  @_lifetime(&self)
  package mutating func seek(atOrAfter key: RawSpan) throws(LMDBError) -> Entry? {
    try handle.check(key, in: database)
    let found = try key.withUnsafeBytes { key throws(LMDBError) in
      try move(MDB_SET_RANGE, from: MDB_val(key), orElse: .behindLast)
    }
    guard let found else { return nil }
    return _overrideLifetime(found.entry, mutating: &self)
  }

  @_lifetime(&self)
  package mutating func seek(atOrAfter key: UInt64) throws(LMDBError) -> Entry? {
    try handle.checkIntegerKeys(of: database)
    let found = try withUnsafeBytes(of: key) { key throws(LMDBError) in
      try move(MDB_SET_RANGE, from: MDB_val(key), orElse: .behindLast)
    }
    guard let found else { return nil }
    return _overrideLifetime(found.entry, mutating: &self)
  }

  /// - Throws: `.invalid` unless the last move reached an entry that is still there.
  mutating func delete() throws(LMDBError) {
    guard place == .onEntry else {
      throw LMDBError(.invalid, message: "no entry to delete under a cursor of database \(database.name)")
    }
    let returnCode = mdb_cursor_del(pointer, 0)
    if returnCode != MDB_SUCCESS { throw handle.error(returnCode, "delete at a cursor", database) }
    place = .onDeleted
  }

  private mutating func move(
    _ operation: MDB_cursor_op, from start: MDB_val = MDB_val(), orElse end: Place
  ) throws(LMDBError) -> Found? {
    var key = start
    var value = MDB_val()
    let returnCode = mdb_cursor_get(pointer, &key, &value, operation)
    if returnCode == MDB_SUCCESS {
      place = .onEntry
      return Found(key: key.bytes, value: value.bytes)
    }
    place = end
    if returnCode == MDB_NOTFOUND { return nil }
    throw handle.error(returnCode, "move a cursor", database)
  }

  private struct Found {
    let key: UnsafeRawBufferPointer
    let value: UnsafeRawBufferPointer

    var entry: Entry {
      @_lifetime(immortal)
      get {
        Entry(
          key: _overrideLifetime(RawSpan(_unsafeBytes: key), copying: ()),
          value: _overrideLifetime(RawSpan(_unsafeBytes: value), copying: ()))
      }
    }
  }
}

/// A cursor that can delete where it stands. While it lives, nothing else changes or reads its transaction.
package struct WriteCursor: ~Copyable, ~Escapable {
  private var cursor: Cursor

  @_lifetime(copy cursor)
  init(_ cursor: consuming Cursor) {
    self.cursor = cursor
  }

  @_lifetime(&self)
  package mutating func first() throws(LMDBError) -> Entry? { try cursor.first() }

  @_lifetime(&self)
  package mutating func last() throws(LMDBError) -> Entry? { try cursor.last() }

  /// The entry behind this one, or behind the one that was deleted here; the first, before any other move.
  @_lifetime(&self)
  package mutating func next() throws(LMDBError) -> Entry? { try cursor.next() }

  /// The entry before this one; the last, before any other move.
  @_lifetime(&self)
  package mutating func previous() throws(LMDBError) -> Entry? { try cursor.previous() }

  /// The first entry whose key is not less than `key`.
  @_lifetime(&self)
  package mutating func seek(atOrAfter key: RawSpan) throws(LMDBError) -> Entry? { try cursor.seek(atOrAfter: key) }

  @_lifetime(&self)
  package mutating func seek(atOrAfter key: UInt64) throws(LMDBError) -> Entry? { try cursor.seek(atOrAfter: key) }

  /// Deletes the entry the last move reached.
  ///
  /// - Throws: `.invalid` unless it reached one, and only once for each.
  package mutating func delete() throws(LMDBError) { try cursor.delete() }
}

extension WriteTransaction {
  /// A cursor before the first entry, which can delete.
  @_lifetime(&self)
  package mutating func writeCursor(in database: Database) throws(LMDBError) -> WriteCursor {
    let cursor = WriteCursor(try Cursor(handle, database))
    return _overrideLifetime(cursor, mutating: &self)
  }
}
