import LMDB

/// The positions of a term in its documents, for a cursor that moves forward.
///
/// Plain memory, without reference counts: whoever makes one frees it. Cursors come `inout` because a copy of one for each
/// document costs as much as the positions; they are not changed.
struct PostingPositions {
  private var bytes: UnsafeRawBufferPointer?
  private var block = -1
  /// The posting whose positions come next, and where they begin.
  private var at = 0
  private var offset = 0
  private var values = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)

  private static let what: StaticString = "a list of positions"

  func free() {
    values.deallocate()
  }

  /// The positions where the cursor stands, ascending; good until the next call.
  @inline(__always)
  mutating func read(_ cursor: inout PostingCursor) throws(LMDBError) -> UnsafeBufferPointer<UInt32> {
    let bytes = try move(to: &cursor)
    let count = Int(cursor.frequency)
    // Each takes a byte at least, so a frequency that lies cannot ask for much memory.
    guard count <= bytes.count - offset else { throw .damagedWords(Self.what) }
    if count > values.count {
      values.deallocate()
      values = .allocate(capacity: 2 * count + 16)
    }
    var reader = try BoundedReader(UnsafeRawBufferPointer(rebasing: bytes[offset...]), Self.what)
    var position: UInt32 = 0
    for index in 0..<count {
      let next = position &+ (try reader.readVariable(Self.what))
      guard next > position || index == 0 else { throw .damagedWords(Self.what) }
      values[index] = next
      position = next
    }
    offset = bytes.count - reader.remaining
    at += 1
    return UnsafeBufferPointer(start: values.baseAddress, count: count)
  }

  /// The bytes of the positions where the cursor stands, as they lie, behind those in `copy`.
  mutating func copy(_ cursor: inout PostingCursor, to copy: inout [UInt8]) throws(LMDBError) {
    let bytes = try move(to: &cursor)
    let start = offset
    try pass(Int(cursor.frequency), in: bytes)
    at += 1
    // One or two bytes, nearly always.
    for index in start..<offset { copy.append(bytes[index]) }
  }

  /// Brings `offset` to where the positions of the cursor's posting begin.
  @inline(__always)
  private mutating func move(to cursor: inout PostingCursor) throws(LMDBError) -> UnsafeRawBufferPointer {
    let bytes: UnsafeRawBufferPointer
    if let loaded = self.bytes { bytes = loaded } else { bytes = try cursor.field.positions(of: cursor.list) }
    self.bytes = bytes
    if cursor.block != block || cursor.at < at {
      block = cursor.block
      at = 0
      offset = cursor.list.positionsOffset(block)
    }
    if at < cursor.at {
      var count = 0
      for index in at..<cursor.at { count &+= Int(cursor.frequency(index)) }
      at = cursor.at
      try pass(count, in: bytes)
    }
    guard offset < bytes.count else { throw .damagedWords(Self.what) }
    return bytes
  }

  private mutating func pass(_ count: Int, in bytes: UnsafeRawBufferPointer) throws(LMDBError) {
    guard let start = bytes.baseAddress else { throw .damagedWords(Self.what) }
    var left = count
    while left > 0 {
      // Eight numbers of one byte each, as most are.
      if left >= 8, bytes.count - offset >= 8, start.load64(offset) & 0x8080_8080_8080_8080 == 0 {
        offset += 8
        left -= 8
        continue
      }
      guard offset < bytes.count else { throw .damagedWords(Self.what) }
      if start.load8(offset) < 0x80 { left -= 1 }
      offset += 1
    }
  }
}
