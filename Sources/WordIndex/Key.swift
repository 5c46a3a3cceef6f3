import ByteCoding

/// Keys of the database: `[segment, 4 bytes big-endian][kind][field][rest]`; the manifest's is four zero bytes.
///
/// | kind | rest | value |
/// | --- | --- | --- |
/// | 1 documents | chunk, 4 bytes | groups, members and lengths of 4,096 documents; see `DocumentColumns` |
/// | 2 forward | chunk, 4 bytes | term numbers of 256 documents; see `ForwardWriter` |
/// | 3 dictionary | last term of the page | terms in order, with short posting lists; see `DictionaryWriter` |
/// | 4 list | term number, 4 bytes | a long posting list; see `PostingFormat` |
/// | 5 positions | term number, 4 bytes | positions of that list's term in its documents |
/// | 6 dead | chunk, 4 bytes | a bit for each of 4,096 documents; mutable |
/// | 7 deadTerms | level, 4 bytes; chunk, 4 bytes | of 256 terms, those with dead documents of a level; see `DeadTerms`; mutable |
/// | 8 counts | level, 4 bytes | under segment 0: live documents and tokens of a level, UInt64; mutable |
enum Key {
  enum Kind: UInt8 {
    case documents = 1
    case forward, dictionary, list, positions, dead, deadTerms, counts
  }

  static let manifest: [UInt8] = [0, 0, 0, 0]
  static let prefixCount = 6
  /// Bytes; LMDB's keys end at 511.
  static let longestTerm = 400
  /// Every term keeps this many of its bytes at least, so that a prefix can be compared with it.
  static let longestPrefix = longestTerm - 15

  /// The beginning of all keys of a segment.
  static func prefix(_ segment: UInt32) -> [UInt8] { withUnsafeBytes(of: segment.bigEndian) { Array($0) } }

  static func make(_ segment: UInt32, _ kind: Kind, _ field: WordField, _ number: UInt32) -> [UInt8] {
    withBytes(segment, kind, field, number) { Array($0) }
  }

  static func make(_ segment: UInt32, _ kind: Kind, _ field: WordField, term: UnsafeRawBufferPointer) -> [UInt8] {
    var key = prefix(segment)
    key.reserveCapacity(prefixCount + term.count)
    key.append(kind.rawValue)
    key.append(field.rawValue)
    key.append(contentsOf: term)
    return key
  }

  static func make(
    _ segment: UInt32, _ kind: Kind, _ field: WordField, _ level: UInt32, _ number: UInt32
  ) -> [UInt8] {
    make(segment, kind, field, level) + withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }

  /// Lends the bytes of `make`, without an allocation: a query looks up many.
  @inline(__always)
  static func withBytes<Result, Failure>(
    _ segment: UInt32, _ kind: Kind, _ field: WordField, _ number: UInt32,
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let head = UInt64(segment) << 32 | UInt64(kind.rawValue) << 24 | UInt64(field.rawValue) << 16 | UInt64(number >> 16)
    let tail = UInt64(number & 0xFFFF) << 48
    return try withUnsafeBytes(of: (head.bigEndian, tail.bigEndian)) { bytes throws(Failure) in
      try body(UnsafeRawBufferPointer(rebasing: bytes[0..<(prefixCount + 4)]))
    }
  }

  /// A token as the index stores it: itself, or if it is too long its first bytes and a 16-byte hash. A shortened term is
  /// longer than any other, so the two never collide.
  static func term(_ token: UnsafeRawBufferPointer) -> [UInt8] {
    if token.count <= longestTerm { return Array(token) }
    var term = Array(token.prefix(longestPrefix))
    for seed in [1, 2] as [UInt64] {
      withUnsafeBytes(of: Checksum.of(token, seed: seed).bigEndian) { term.append(contentsOf: $0) }
    }
    return term
  }
}
