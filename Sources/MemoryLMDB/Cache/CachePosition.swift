import FileLocks
import ByteCoding
import EpisodicMemory
import LMDB

/// The place in the primary's history up to which the cache has applied changes: record 1 of `MetaTable`.
///
/// Content, little-endian: revision Int64, nonce Int64, stamp 8 UInt64, zeros for none.
struct CachePosition: Equatable {
  static let key: UInt64 = 1
  static let noStamp = CommitStamp(InlineArray(repeating: 0))
  fileprivate static let stampOffset = 16
  fileprivate static let byteCount = 80

  let watermark: Watermark
  /// The commit as of which that was all of the history; `nil` if there were more changes.
  let stamp: CommitStamp?
}

extension MetaTable {
  /// `nil` before the first batch of changes.
  func position(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> CachePosition? {
    try decode(CachePosition.key, "position", in: transaction) { reader throws(MalformedBytes) in
      let watermark = Watermark(revision: try reader.integer(), nonce: try reader.integer())
      var words = InlineArray<8, UInt64>(repeating: 0)
      for index in words.indices { words[index] = try reader.integer() }
      let stamp = CommitStamp(words)
      return CachePosition(watermark: watermark, stamp: stamp == CachePosition.noStamp ? nil : stamp)
    }
  }

  /// Whether the cache stands at a stamp: compares eight words before it verifies the record, a tenth of the time of
  /// `position`.
  ///
  /// - Throws: `.damaged` if the record is not intact.
  func stands(
    at stamp: CommitStamp, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Bool {
    guard let record = try transaction.get(CachePosition.key, in: database) else { return false }
    guard record.byteCount == CachePosition.byteCount + Seal.byteCount else { throw Self.damaged("position") }
    let differences = record.withUnsafeBytes { bytes in
      var differences: UInt64 = 0
      for index in 0..<8 {
        differences |= bytes.integer(at: CachePosition.stampOffset + 8 * index) ^ stamp.words[index]
      }
      return differences
    }
    guard differences == 0 else { return false }
    do throws(MalformedBytes) { _ = try seal(CachePosition.key).open(record) } catch { throw Self.damaged("position") }
    return true
  }

  func put(_ position: CachePosition, in transaction: inout WriteTransaction) throws(LMDBError) {
    var content = ByteWriter(capacity: 96)
    content.write(position.watermark.revision)
    content.write(position.watermark.nonce)
    let words = (position.stamp ?? CachePosition.noStamp).words
    for index in words.indices { content.write(words[index]) }
    try put(content, CachePosition.key, in: &transaction)
  }
}
