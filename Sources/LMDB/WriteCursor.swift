/// A cursor that can delete where it stands. While it lives, nothing else changes or reads its transaction.
public struct WriteCursor: ~Copyable, ~Escapable {
  private var cursor: Cursor

  @_lifetime(copy cursor)
  init(_ cursor: consuming Cursor) {
    self.cursor = cursor
  }

  @_lifetime(&self)
  public mutating func first() throws(LMDBError) -> Entry? { try cursor.first() }

  @_lifetime(&self)
  public mutating func last() throws(LMDBError) -> Entry? { try cursor.last() }

  /// The entry behind this one, or behind the one that was deleted here; the first, before any other move.
  @_lifetime(&self)
  public mutating func next() throws(LMDBError) -> Entry? { try cursor.next() }

  /// The entry before this one; the last, before any other move.
  @_lifetime(&self)
  public mutating func previous() throws(LMDBError) -> Entry? { try cursor.previous() }

  /// The first entry whose key is not less than `key`.
  @_lifetime(&self)
  public mutating func seek(atOrAfter key: RawSpan) throws(LMDBError) -> Entry? { try cursor.seek(atOrAfter: key) }

  @_lifetime(&self)
  public mutating func seek(atOrAfter key: UInt64) throws(LMDBError) -> Entry? { try cursor.seek(atOrAfter: key) }

  /// Deletes the entry the last move reached.
  ///
  /// - Throws: `.invalid` unless it reached one, and only once for each.
  public mutating func delete() throws(LMDBError) { try cursor.delete() }
}

extension WriteTransaction {
  /// A cursor before the first entry, which can delete.
  @_lifetime(&self)
  public mutating func writeCursor(in database: Database) throws(LMDBError) -> WriteCursor {
    let cursor = WriteCursor(try Cursor(handle, database))
    return _overrideLifetime(cursor, mutating: &self)
  }
}
