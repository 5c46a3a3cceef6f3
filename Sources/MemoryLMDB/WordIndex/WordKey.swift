import ByteCoding
import LMDB

/// Keys of the index: `[segment, 4 bytes big-endian][kind][field][rest]`; the manifest's is four zero bytes.
///
/// | kind | rest | value |
/// | --- | --- | --- |
/// | documents | chunk, 4 bytes | groups, members and lengths of 4,096 documents |
/// | forward | chunk, 4 bytes | term numbers of 256 documents |
/// | dictionary | last term of the page | terms in order, small posting lists among them |
/// | list | term number, 4 bytes | the postings of a common term |
/// | positions | term number, 4 bytes | where in its documents that term stands |
/// | dead | chunk, 4 bytes | a bit for each of 4,096 documents; mutable |
/// | deadTerms | chunk, 4 bytes | dead documents of each of 256 terms; mutable |
struct WordKey {
  enum Kind: UInt8 {
    case documents = 1
    case forward, dictionary, list, positions, dead, deadTerms
  }

  static let manifest: [UInt8] = [0, 0, 0, 0]
  static let prefixCount = 6
  /// Longer terms are told apart by a hash: LMDB's keys end at 511 bytes.
  static let longestTerm = 400
  /// What there is of every term to compare a prefix with: longer ones go on with a hash.
  static let longestPrefix = longestTerm - 15

  static func prefix(_ segment: UInt32) -> [UInt8] {
    withUnsafeBytes(of: segment.bigEndian) { Array($0) }
  }

  static func make(_ segment: UInt32, _ kind: Kind, _ field: WordField, _ number: UInt32) -> [UInt8] {
    var key: [UInt8] = []
    key.reserveCapacity(10)
    withUnsafeBytes(of: segment.bigEndian) { key.append(contentsOf: $0) }
    key.append(kind.rawValue)
    key.append(field.rawValue)
    withUnsafeBytes(of: number.bigEndian) { key.append(contentsOf: $0) }
    return key
  }

  /// Lends a key of a number without an array for it: a query looks up many.
  @inline(__always)
  static func withBytes<Result>(
    _ segment: UInt32, _ kind: Kind, _ field: WordField, _ number: UInt32,
    _ body: (UnsafeRawBufferPointer) throws(LMDBError) -> Result
  ) throws(LMDBError) -> Result {
    let head = UInt64(segment) << 32 | UInt64(kind.rawValue) << 24 | UInt64(field.rawValue) << 16 | UInt64(number >> 16)
    let tail = UInt64(number & 0xFFFF) << 48
    return try withUnsafeBytes(of: (head.bigEndian, tail.bigEndian)) { bytes throws(LMDBError) in
      try body(UnsafeRawBufferPointer(rebasing: bytes[0..<(prefixCount + 4)]))
    }
  }

  static func make(_ segment: UInt32, _ kind: Kind, _ field: WordField, term: UnsafeRawBufferPointer) -> [UInt8] {
    var key: [UInt8] = []
    key.reserveCapacity(prefixCount + term.count)
    withUnsafeBytes(of: segment.bigEndian) { key.append(contentsOf: $0) }
    key.append(kind.rawValue)
    key.append(field.rawValue)
    key.append(contentsOf: term)
    return key
  }

  /// A token as the index knows it: itself, or where it is too long a prefix and 16 bytes of hash, which make it longer
  /// than any that is not.
  static func term(_ token: UnsafeRawBufferPointer) -> [UInt8] {
    if token.count <= longestTerm { return Array(token) }
    var term = Array(token.prefix(longestPrefix))
    withUnsafeBytes(of: Checksum.of(token, seed: 1).bigEndian) { term.append(contentsOf: $0) }
    withUnsafeBytes(of: Checksum.of(token, seed: 2).bigEndian) { term.append(contentsOf: $0) }
    return term
  }
}
