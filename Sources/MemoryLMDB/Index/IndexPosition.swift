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
      self = .building(base: watermark, table: table, after: try bytes.integer(), seen: try bytes.integer())
    } else {
      throw MalformedBytes()
    }
  }
}

extension MetaTable {
  private static let progress: UInt64 = 3

  /// `nil` for an index whose build has not begun.
  func indexPosition(
    generation: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> IndexPosition? {
    guard let record = try transaction.get(Self.progress, in: database) else { return nil }
    let seal = Seal(key: Self.progress, generation: generation)
    return try seal.decode(record, "progress") { reader throws(MalformedBytes) in try IndexPosition(&reader) }
  }

  func put(_ position: IndexPosition, generation: UInt64, in transaction: inout WriteTransaction) throws(LMDBError) {
    let record = Seal(key: Self.progress, generation: generation).sealed(position.encode())
    try transaction.put(record.span.bytes, for: Self.progress, in: database)
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
