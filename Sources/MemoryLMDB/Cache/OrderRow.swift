import ByteCoding
import EpisodicMemory
import LMDB

/// A row of the databases `window` and `main`: the entry of the *n*th fill.
///
/// Keys are sequence numbers. Layout, little-endian: hash of the entry's key UInt64, its deadline Int64, what it costs
/// UInt32 and its kind UInt8. It says enough for the entry to be evicted without being looked at.
struct OrderRow: Equatable {
  static let byteCount = 21

  let keyHash: UInt64
  let deadline: Int64
  let cost: UInt32
  let kind: CacheKey.Kind

  init(keyHash: UInt64, deadline: Int64, cost: UInt32, kind: CacheKey.Kind) {
    self.keyHash = keyHash
    self.deadline = deadline
    self.cost = cost
    self.kind = kind
  }

  /// - Throws: `.damaged` where the bytes are no such row.
  init(_ bytes: RawSpan) throws(LMDBError) {
    let row = bytes.withUnsafeBytes { bytes -> OrderRow? in
      guard bytes.count == Self.byteCount, let kind = CacheKey.Kind(rawValue: bytes[20]) else { return nil }
      return OrderRow(
        keyHash: bytes.integer(at: 0),
        deadline: bytes.integer(at: 8),
        cost: bytes.integer(at: 16),
        kind: kind)
    }
    guard let row else { throw LMDBError(.damaged, message: "a row of the cache's order is damaged") }
    self = row
  }

  var bytes: [UInt8] {
    var writer = ByteWriter(capacity: Self.byteCount)
    writer.write(keyHash)
    writer.write(deadline)
    writer.write(cost)
    writer.write(kind.rawValue)
    return writer.bytes
  }
}
