import LMDB

/// Reads numbers from bytes that may be anything; running past the end is damage, never a trap.
struct BoundedReader {
  private(set) var at: UnsafeRawPointer
  let end: UnsafeRawPointer

  init(_ bytes: UnsafeRawBufferPointer, _ what: StaticString) throws(LMDBError) {
    guard let start = bytes.baseAddress else { throw .damagedWords(what) }
    at = start
    end = start + bytes.count
  }

  var remaining: Int { end - at }

  mutating func skip(_ count: Int, _ what: StaticString) throws(LMDBError) {
    guard count >= 0, count <= remaining else { throw .damagedWords(what) }
    at += count
  }

  mutating func read32(_ what: StaticString) throws(LMDBError) -> UInt32 {
    guard remaining >= 4 else { throw .damagedWords(what) }
    defer { at += 4 }
    return at.load32(0)
  }

  mutating func read64(_ what: StaticString) throws(LMDBError) -> UInt64 {
    guard remaining >= 8 else { throw .damagedWords(what) }
    defer { at += 8 }
    return at.load64(0)
  }

  @inline(__always)
  mutating func readVariable(_ what: StaticString) throws(LMDBError) -> UInt32 {
    if at < end {
      let byte = at.load8(0)
      if byte < 0x80 {
        at += 1
        return UInt32(byte)
      }
    }
    return try readLong(what)
  }

  private mutating func readLong(_ what: StaticString) throws(LMDBError) -> UInt32 {
    var value: UInt32 = 0
    var shift: UInt32 = 0
    while at < end, shift < 35 {
      let byte = at.load8(0)
      at += 1
      value |= UInt32(byte & 0x7F) &<< shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw .damagedWords(what)
  }
}

extension LMDBError {
  /// - Parameter what: The part that is wrong: "a posting list".
  static func damagedWords(_ what: StaticString) -> LMDBError {
    LMDBError(.damaged, message: "\(what) of the word index is damaged")
  }
}
