import ByteCoding
import EpisodicMemory
import LMDB

/// Where the index is: at a place in the primary's history, or on the way to its first one.
enum IndexPosition: Equatable {
  /// Equal to the primary as of that change; but up to revision `built` it may know of later ones, of which a build read.
  case following(Watermark, built: Int64)
  /// Being made from the primary's rows, batch by batch, each from a snapshot of its own, none older than the one before,
  /// the last of which was at revision `seen`. What changed since `base` is taken in afterwards.
  case building(base: Watermark, table: IndexedTable, behind: Int64, seen: Int64)

  fileprivate func encode() -> [UInt8] {
    var bytes = ByteWriter(capacity: 32)
    switch self {
    case .following(let watermark, let built):
      bytes.write(UInt8(0))
      bytes.write(watermark.revision)
      bytes.write(watermark.nonce)
      bytes.write(built)
    case .building(let base, let table, let row, let seen):
      bytes.write(UInt8(1))
      bytes.write(base.revision)
      bytes.write(base.nonce)
      bytes.write(table.rawValue)
      bytes.write(row)
      bytes.write(seen)
    }
    return bytes.bytes
  }

  fileprivate init(_ bytes: inout ByteReader) throws(MalformedBytes) {
    let kind = try bytes.integer(UInt8.self)
    let watermark = Watermark(revision: try bytes.integer(), nonce: try bytes.integer())
    if kind == 0 {
      self = .following(watermark, built: try bytes.integer())
    } else if kind == 1, let table = IndexedTable(rawValue: try bytes.integer()) {
      self = .building(base: watermark, table: table, behind: try bytes.integer(), seen: try bytes.integer())
    } else {
      throw MalformedBytes()
    }
  }
}

extension MetaTable {
  private static let progress: UInt64 = 3

  /// `nil` for an index that was not begun.
  func indexPosition(
    epoch: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> IndexPosition? {
    guard let record = try transaction.get(Self.progress, in: database) else { return nil }
    return try Seal(key: Self.progress, generation: epoch).decode(record, "progress") { reader throws(MalformedBytes) in
      try IndexPosition(&reader)
    }
  }

  func put(_ position: IndexPosition, epoch: UInt64, in transaction: inout WriteTransaction) throws(LMDBError) {
    let record = Seal(key: Self.progress, generation: epoch).sealed(position.encode())
    try transaction.put(record.span.bytes, for: Self.progress, in: database)
  }

  func removeIndexPosition(in transaction: inout WriteTransaction) throws(LMDBError) {
    try transaction.delete(Self.progress, in: database)
  }
}
