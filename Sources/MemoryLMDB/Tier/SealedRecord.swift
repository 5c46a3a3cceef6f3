import EpisodicMemory
import LMDB

/// A small record whose last eight bytes vouch for the others: LMDB itself has no checksums.
///
/// Layout: the content, then XXH64 over it, little-endian, seeded with what the record is bound to.
enum SealedRecord {
  static func seal(_ content: [UInt8], seed: UInt64) -> [UInt8] {
    let seal = content.withUnsafeBytes { XXH64.hash($0, seed: seed) }
    return content + withUnsafeBytes(of: seal.littleEndian) { Array($0) }
  }

  static func isSealed(_ record: UnsafeRawBufferPointer, seed: UInt64) -> Bool {
    guard record.count >= 8 else { return false }
    let content = UnsafeRawBufferPointer(rebasing: record.dropLast(8))
    let seal = UInt64(littleEndian: record.loadUnaligned(fromByteOffset: content.count, as: UInt64.self))
    return seal == XXH64.hash(content, seed: seed)
  }

  /// Lends the content to `read`, which must use it up.
  ///
  /// - Throws: `.damaged` where the seal is broken or the content is not what `read` expects.
  static func open<Value>(
    _ record: RawSpan, seed: UInt64, _ what: String,
    _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws(LMDBError) -> Value {
    let value = record.withUnsafeBytes { bytes -> Value? in
      guard isSealed(bytes, seed: seed) else { return nil }
      var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes.dropLast(8)))
      guard let value = try? read(&reader), reader.isAtEnd else { return nil }
      return value
    }
    guard let value else { throw LMDBError(.damaged, message: "the record of \(what) is damaged") }
    return value
  }
}
