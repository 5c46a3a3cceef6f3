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

  /// The rows of the episodes before and after some in their sessions; none for an episode without a session.
  ///
  /// - Complexity: Four moves of a cursor each, eight if active episodes count.
  func neighbors(
    of episodes: [(row: Int64, attributes: RowAttributes)], includingActive: Bool,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [Int64: (previous: Int64?, next: Int64?)] {
    var found: [Int64: (previous: Int64?, next: Int64?)] = [:]
    var cursor = try transaction.cursor(in: database)
    for episode in episodes {
      guard var key = Self.key(episode.attributes, episode.row) else { continue }
      var (previous, next): (Place?, Place?)
      for isActive in includingActive ? [0, 1] : [0] as [UInt8] {
        key[Self.activeOffset] = isActive
        let around = try places(around: key, &cursor)
        if let place = around.previous, previous.map({ $0 < place }) ?? true { previous = place }
        if let place = around.next, next.map({ place < $0 }) ?? true { next = place }
      }
      found[episode.row] = (previous?.row, next?.row)
    }
    return found
  }

  private typealias Place = (time: Int64, row: Int64)

  /// The entries before and after a key, which may be one itself, of the same session and state.
  private func places(
    around key: [UInt8], _ cursor: inout Cursor
  ) throws(LMDBError) -> (previous: Place?, next: Place?) {
    var next: Place?
    var isSelf = false
    if let entry = try cursor.seek(atOrAfter: key.span.bytes) {
      isSelf = entry.key.withUnsafeBytes { $0.elementsEqual(key) }
      if !isSelf { next = try place(entry, in: key) }
    }
    if isSelf {
      if let entry = try cursor.next() { next = try place(entry, in: key) }
      // Back over the key itself.
      _ = try cursor.previous()
    }
    guard let entry = try cursor.previous() else { return (nil, next) }
    return (try place(entry, in: key), next)
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
    key.append(StateCode.isActive(attributes.state) ? 1 : 0)
    append(UInt64(bitPattern: attributes.time) ^ 1 << 63)
    append(row)
    return key
  }

  // MARK: Layout

  private static let activeOffset = 8
  private static let timeOffset = 9

  /// - Returns: `nil` if the entry is of another session or state.
  private func place(_ entry: Entry, in session: [UInt8]) throws(LMDBError) -> Place? {
    guard entry.hasPrefix(session.prefix(Self.timeOffset)) else { return nil }
    return try open(entry)
  }

  private func open(_ entry: Entry) throws(LMDBError) -> Place {
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
}

extension Entry {
  fileprivate func hasPrefix(_ prefix: some Collection<UInt8>) -> Bool {
    key.withUnsafeBytes { $0.starts(with: prefix) }
  }
}
