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

  /// The positions where the cursor stands, ascending; the caller may change them, and they are good until the next call.
  @inline(__always)
  mutating func read(_ cursor: inout PostingCursor) throws(LMDBError) -> UnsafeMutableBufferPointer<UInt32> {
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
    return UnsafeMutableBufferPointer(rebasing: values[0..<count])
  }

  /// Moves those of some starts to the front that have a position `distance` behind them where the cursor stands.
  ///
  /// - Parameter starts: Ascending.
  /// - Returns: How many there are.
  @inline(__always)
  mutating func keep(
    _ starts: UnsafeMutableBufferPointer<UInt32>, at distance: UInt32, _ cursor: inout PostingCursor
  ) throws(LMDBError) -> Int {
    let bytes = try move(to: &cursor)
    var reader = try BoundedReader(UnsafeRawBufferPointer(rebasing: bytes[offset...]), Self.what)
    var left = cursor.frequency
    var position: UInt32 = 0
    var (next, kept) = (0, 0)
    // Not all positions may be read: `offset` stays, and the next move passes over them.
    while left > 0 {
      position &+= try reader.readVariable(Self.what)
      left &-= 1
      while UInt64(starts[next]) &+ UInt64(distance) < UInt64(position) {
        next &+= 1
        if next == starts.count { return kept }
      }
      if UInt64(starts[next]) &+ UInt64(distance) == UInt64(position) {
        starts[kept] = starts[next]
        kept &+= 1
        next &+= 1
        if next == starts.count { return kept }
      }
    }
    return kept
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
      try pass(cursor.frequencies(at..<cursor.at), in: bytes)
      at = cursor.at
    }
    guard offset < bytes.count else { throw .damagedWords(Self.what) }
    return bytes
  }

  private mutating func pass(_ count: Int, in bytes: UnsafeRawBufferPointer) throws(LMDBError) {
    guard let start = bytes.baseAddress else { throw .damagedWords(Self.what) }
    var left = count
    // Eight bytes at once hold as many ends of numbers as they have high bits that are clear.
    while left >= 8, bytes.count - offset >= 8 {
      let ends = (~start.load64(offset) & 0x8080_8080_8080_8080) >> 7
      left &-= Int((ends &* 0x0101_0101_0101_0101) >> 56)
      offset &+= 8
    }
    while left > 0 {
      guard offset < bytes.count else { throw .damagedWords(Self.what) }
      if start.load8(offset) < 0x80 { left -= 1 }
      offset += 1
    }
  }
}
