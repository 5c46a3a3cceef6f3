import ByteCoding
import LMDB

/// The rows of each group, in a database of byte keys: space UInt32, group Int64, id Int64, big-endian. A value is a seal alone.
struct GroupTable: Sendable {
  let database: Database
  let generation: UInt64

  private static let keyBytes = 20

  func add(_ buffer: SlabBuffer, space: UInt64, in transaction: inout WriteTransaction) throws(LMDBError) {
    for index in 0..<buffer.count {
      let key = Self.key(space, buffer.groups[index], buffer.ids[index])
      let value = Seal(key: key.span.bytes, generation: generation).sealed([])
      try transaction.put(value.span.bytes, for: key.span.bytes, in: database)
    }
  }

  func remove(
    _ rows: [(id: Int64, group: Int64)], space: UInt64, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for row in rows { try transaction.delete(Self.key(space, row.group, row.id).span.bytes, in: database) }
  }

  /// The ids of the rows of a group, ascending: one seek.
  func ids(
    ofGroup group: Int64, space: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [Int64] {
    var ids: [Int64] = []
    let first = Self.key(space, group, .min)
    let prefix = first.prefix(12)
    var cursor = try transaction.cursor(in: database)
    if let entry = try cursor.seek(atOrAfter: first.span.bytes), let id = try id(entry, prefix) {
      ids.append(id)
    } else {
      return []
    }
    while let entry = try cursor.next(), let id = try id(entry, prefix) { ids.append(id) }
    return ids
  }

  /// How many entries there are.
  func count(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> Int {
    try transaction.count(in: database)
  }

  /// - Returns: `nil` if the entry is of another group.
  private func id(_ entry: Entry, _ prefix: ArraySlice<UInt8>) throws(LMDBError) -> Int64? {
    guard entry.key.withUnsafeBytes({ $0.starts(with: prefix) }) else { return nil }
    do throws(MalformedBytes) {
      guard entry.key.byteCount == Self.keyBytes else { throw MalformedBytes() }
      _ = try Seal(key: entry.key, generation: generation).open(entry.value)
    } catch {
      throw VectorTable.damaged
    }
    return entry.key.withUnsafeBytes { key in
      Int64(bitPattern: UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 12, as: UInt64.self)) ^ 1 << 63)
    }
  }

  private static func key(_ space: UInt64, _ group: Int64, _ id: Int64) -> [UInt8] {
    var key: [UInt8] = []
    key.reserveCapacity(keyBytes)
    func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.bigEndian) { key += $0 } }
    append(UInt32(truncatingIfNeeded: space))
    // With their signs inverted, so that they sort as numbers.
    append(UInt64(bitPattern: group) ^ 1 << 63)
    append(UInt64(bitPattern: id) ^ 1 << 63)
    return key
  }
}
