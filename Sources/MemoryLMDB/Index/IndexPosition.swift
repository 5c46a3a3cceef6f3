import ByteCoding
import EpisodicMemory
import LMDB

/// Where the index is: at a place in the primary's history, or on the way to its first one.
enum IndexPosition: Equatable {
  /// Equal to the primary as of that change. It may contain rows of later changes up to revision `built`, which a build read.
  case following(Watermark, built: Int64)
  /// Being built from the primary's rows, batch by batch, each from a snapshot of its own. No snapshot is older than the one
  /// before; the last was at revision `seen`. Changes since `base` are applied afterwards.
  case building(base: Watermark, table: IndexedTable, after: Int64, seen: Int64)

  fileprivate func encode() -> ByteWriter {
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
    return bytes
  }

  fileprivate init(_ bytes: inout ByteReader) throws(MalformedBytes) {
    let kind = try bytes.integer(UInt8.self)
    let watermark = Watermark(revision: try bytes.integer(), nonce: try bytes.integer())
    if kind == 0 {
      self = .following(watermark, built: try bytes.integer())
    } else if kind == 1, let table = IndexedTable(rawValue: try bytes.integer()) {
      self = .building(base: watermark, table: table, after: try bytes.integer(), seen: try bytes.integer())
    } else {
      throw MalformedBytes()
    }
  }
}

extension MetaTable {
  private static let progress: UInt64 = 3

  /// `nil` for an index whose build has not begun.
  func indexPosition(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> IndexPosition? {
    try decode(Self.progress, "progress", in: transaction) { reader throws(MalformedBytes) in
      try IndexPosition(&reader)
    }
  }

  func put(_ position: IndexPosition, in transaction: inout WriteTransaction) throws(LMDBError) {
    try put(position.encode(), Self.progress, in: &transaction)
  }

  func removeIndexPosition(in transaction: inout WriteTransaction) throws(LMDBError) {
    try transaction.delete(Self.progress, in: database)
  }
}

/// Why an operation on the index failed: the index itself, or the primary that it reads.
enum IndexFailure: PrimaryFailure, LMDBFailure {
  case index(LMDBError)
  case primary(MemoryError)

  init(_ error: LMDBError) { self = .index(error) }
  init(_ error: MemoryError) { self = .primary(error) }
}
