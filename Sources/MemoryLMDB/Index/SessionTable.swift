import ByteCoding
import EpisodicMemory
import LMDB
import VectorIndex

/// The database `sessions`: the episodes that have a session, in its order.
///
/// A key is domain and session UInt32, 1 for an active episode or 0, creation Int64 with its sign inverted, row Int64, all
/// big-endian: the episodes of a session that are not active lie side by side by time and row. A value is a seal alone.
struct SessionTable: Sendable {
  let database: Database
  let generation: UInt64

  private static let keyBytes = 25

  /// Replaces the entries of episodes whose records change.
  ///
  /// - Parameter before: The records that are in the index; none for an episode that is not.
  func put(
    _ records: [Int64: EpisodeTable.Record?], before: [Int64: EpisodeTable.Record],
    in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for (row, record) in records {
      let old = before[row].flatMap { Self.key($0.attributes, row) }
      let new = record.flatMap { Self.key($0.attributes, row) }
      if old == new { continue }
      if let old { try transaction.delete(old.span.bytes, in: database) }
      if let new {
        let value = Seal(key: new.span.bytes, generation: generation).sealed([])
        try transaction.put(value.span.bytes, for: new.span.bytes, in: database)
      }
    }
  }

  /// The rows of the episodes before and after one in its session: two moves, four if active episodes count.
  ///
  /// - Returns: `nil` if it has no session.
  func neighbors(
    of row: Int64, _ attributes: RowAttributes, includingActive: Bool,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> (previous: Int64?, next: Int64?)? {
    guard var key = Self.key(attributes, row) else { return nil }
    var previous: (time: Int64, row: Int64)?
    var next: (time: Int64, row: Int64)?
    for isActive in includingActive ? [0, 1] : [0] as [UInt8] {
      key[Self.activeOffset] = isActive
      var cursor = try transaction.cursor(in: database)
      var isSelf = false
      if let entry = try cursor.seek(atOrAfter: key.span.bytes) {
        isSelf = entry.key.withUnsafeBytes { $0.elementsEqual(key) }
        if !isSelf, let place = try place(entry, in: key) { next = Self.earlier(next, place) }
      }
      if isSelf, let entry = try cursor.next(), let place = try place(entry, in: key) {
        next = Self.earlier(next, place)
      }
      // Back over the episode itself.
      if isSelf { _ = try cursor.previous() }
      if let entry = try cursor.previous(), let place = try place(entry, in: key) {
        if previous.map({ $0 < place }) ?? true { previous = place }
      }
    }
    return (previous?.row, next?.row)
  }

  /// The entries, verified: key of session and state, time and row.
  func forEach(
    in transaction: borrowing some Transaction & ~Copyable, _ body: ([UInt8]) -> Void
  ) throws(LMDBError) {
    var cursor = try transaction.cursor(in: database)
    while let entry = try cursor.next() {
      _ = try open(entry)
      body(entry.key.withUnsafeBytes { Array($0) })
    }
  }

  /// - Returns: `nil` if the episode has no session.
  static func key(_ attributes: RowAttributes, _ row: Int64) -> [UInt8]? {
    guard attributes.series != 0 else { return nil }
    var key: [UInt8] = []
    key.reserveCapacity(keyBytes)
    func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.bigEndian) { key += $0 } }
    append(attributes.partition)
    append(attributes.series)
    key.append(attributes.state == StatusCode.of(.active) ? 1 : 0)
    append(UInt64(bitPattern: attributes.time) ^ 1 << 63)
    append(row)
    return key
  }

  // MARK: Layout

  private static let activeOffset = 8
  private static let timeOffset = 9

  /// - Returns: `nil` if the entry is of another session or state.
  private func place(_ entry: Entry, in session: [UInt8]) throws(LMDBError) -> (time: Int64, row: Int64)? {
    guard entry.hasPrefix(session.prefix(Self.timeOffset)) else { return nil }
    return try open(entry)
  }

  private func open(_ entry: Entry) throws(LMDBError) -> (time: Int64, row: Int64) {
    do throws(MalformedBytes) {
      guard entry.key.byteCount == Self.keyBytes else { throw MalformedBytes() }
      _ = try Seal(key: entry.key, generation: generation).open(entry.value)
    } catch {
      throw LMDBError(.damaged, message: "an entry of the index's sessions is damaged")
    }
    return entry.key.withUnsafeBytes { key in
      func integer(_ offset: Int) -> UInt64 {
        UInt64(bigEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
      return (
        Int64(bitPattern: integer(Self.timeOffset) ^ 1 << 63), Int64(bitPattern: integer(Self.timeOffset + 8))
      )
    }
  }

  private static func earlier(
    _ known: (time: Int64, row: Int64)?, _ place: (time: Int64, row: Int64)
  ) -> (time: Int64, row: Int64) {
    guard let known, known < place else { return place }
    return known
  }
}

extension Entry {
  fileprivate func hasPrefix(_ prefix: some Collection<UInt8>) -> Bool {
    key.withUnsafeBytes { $0.starts(with: prefix) }
  }
}
