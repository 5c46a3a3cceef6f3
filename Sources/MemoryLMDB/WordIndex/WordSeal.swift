import ByteCoding
import LMDB

/// The last eight bytes of every value: a checksum bound to its key and to the life of the files.
struct WordSeal: Sendable {
  static let byteCount = 8
  let epoch: UInt64

  func seal(_ value: inout [UInt8], key: [UInt8]) {
    let seed = seed(key.span.bytes)
    value.append64(value.withUnsafeBytes { Checksum.of($0, seed: seed) })
  }

  /// The seal of a value, which says which value it is but not that it is intact.
  func stored(in value: UnsafeRawBufferPointer, _ what: StaticString) throws(LMDBError) -> UInt64 {
    guard value.count >= Self.byteCount, let start = value.baseAddress else { throw .damagedWords(what) }
    return start.load64(value.count - Self.byteCount)
  }

  /// The value without its seal.
  ///
  /// - Parameter verified: Where it is on record that a value is intact; `nil` for one that changes.
  func open(
    _ value: UnsafeRawBufferPointer, key: RawSpan, verified: VerifiedValues?, _ what: StaticString
  ) throws(LMDBError) -> UnsafeRawBufferPointer {
    guard value.count >= Self.byteCount, let start = value.baseAddress else { throw .damagedWords(what) }
    let content = UnsafeRawBufferPointer(start: start, count: value.count - Self.byteCount)
    let stored = start.load64(content.count)
    if let verified, verified.contains(stored) { return content }
    guard Checksum.of(content, seed: seed(key)) == stored else { throw .damagedWords(what) }
    verified?.insert(stored)
    return content
  }

  private func seed(_ key: RawSpan) -> UInt64 {
    Checksum.of(key, seed: epoch)
  }
}
