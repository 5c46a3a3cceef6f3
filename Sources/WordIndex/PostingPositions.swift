import ByteCoding
import LMDB

/// The positions of a term in its documents, for a cursor that only moves forward.
///
/// Trivial, without reference counts: its owner calls `free`. Cursors are passed `inout` because copying one for each
/// document would cost as much as reading the positions; they are not changed.
struct PostingPositions {
  private var bytes: UnsafeRawBufferPointer?
  private var block = -1
  /// The posting whose positions come next, and where they begin.
  private var at = 0
  private var offset = 0
  private var values = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)

  private static var damaged: LMDBError { .damagedWords("a list of positions") }

  func free() {
    values.deallocate()
  }

  /// The positions at the cursor's posting, ascending, until the next call; the caller may change them.
  @inline(__always)
  mutating func read(
    _ cursor: inout PostingCursor, _ snapshot: Snapshot
  ) throws(LMDBError) -> UnsafeMutableBufferPointer<UInt32> {
    let bytes = try move(to: &cursor, snapshot)
    let count = Int(cursor.frequency)
    // A position takes at least one byte, so a damaged frequency cannot reserve much memory.
    guard count <= bytes.count - offset else { throw Self.damaged }
    if count > values.count {
      values.deallocate()
      values = .allocate(capacity: 2 * count + 16)
    }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
    var reader = ByteReader(rest.bytes)
    do throws(MalformedBytes) {
      var position: UInt32 = 0
      for index in 0..<count {
        let next = position &+ (try reader.variable())
        guard next > position || index == 0 else { throw MalformedBytes() }
        values[index] = next
        position = next
      }
    } catch {
      throw Self.damaged
    }
    offset = bytes.count - reader.remaining
    at += 1
    return UnsafeMutableBufferPointer(rebasing: values[0..<count])
  }

  /// Moves to the front those of some starts that have a position `distance` after them at the cursor's posting.
  ///
  /// - Parameter starts: Ascending.
  /// - Returns: How many there are.
  @inline(__always)
  mutating func keep(
    _ starts: UnsafeMutableBufferPointer<UInt32>, at distance: UInt32, _ cursor: inout PostingCursor,
    _ snapshot: Snapshot
  ) throws(LMDBError) -> Int {
    let bytes = try move(to: &cursor, snapshot)
    let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
    var reader = ByteReader(rest.bytes)
    var left = cursor.frequency
    var position: UInt32 = 0
    var (next, kept) = (0, 0)
    do throws(MalformedBytes) {
      // Not all positions may be read: `offset` stays, and the next move passes over them.
      while left > 0 {
        position &+= try reader.variable()
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
    } catch {
      throw Self.damaged
    }
    return kept
  }

  /// Appends the bytes of the positions at the cursor's posting to `copy`.
  mutating func copy(
    _ cursor: inout PostingCursor, to copy: inout ByteWriter, _ snapshot: Snapshot
  ) throws(LMDBError) {
    let bytes = try move(to: &cursor, snapshot)
    let start = offset
    try skip(Int(cursor.frequency), in: bytes)
    at += 1
    // One or two bytes, nearly always.
    for index in start..<offset { copy.bytes.append(bytes[index]) }
  }

  /// Moves `offset` to where the positions of the cursor's posting begin.
  @inline(__always)
  private mutating func move(
    to cursor: inout PostingCursor, _ snapshot: Snapshot
  ) throws(LMDBError) -> UnsafeRawBufferPointer {
    let bytes: UnsafeRawBufferPointer
    if let loaded = self.bytes {
      bytes = loaded
    } else {
      bytes = try cursor.field.positions(of: cursor.list, snapshot)
    }
    self.bytes = bytes
    if cursor.block != block || cursor.at < at {
      block = cursor.block
      at = 0
      offset = cursor.list.positionsOffset(block)
    }
    if at < cursor.at {
      try skip(cursor.frequencies(at..<cursor.at), in: bytes)
      at = cursor.at
    }
    guard offset < bytes.count else { throw Self.damaged }
    return bytes
  }

  /// Moves `offset` past `count` numbers of variable length.
  private mutating func skip(_ count: Int, in bytes: UnsafeRawBufferPointer) throws(LMDBError) {
    guard let start = bytes.baseAddress else { throw Self.damaged }
    var left = count
    // Eight bytes end as many numbers as they have clear high bits.
    while left >= 8, bytes.count - offset >= 8 {
      let ends = (~start.integer(at: offset, as: UInt64.self) & 0x8080_8080_8080_8080) >> 7
      left &-= Int((ends &* 0x0101_0101_0101_0101) >> 56)
      offset &+= 8
    }
    while left > 0 {
      guard offset < bytes.count else { throw Self.damaged }
      if start.integer(at: offset, as: UInt8.self) < 0x80 { left -= 1 }
      offset += 1
    }
  }
}
