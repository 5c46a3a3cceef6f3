/// A page of a tree in memory.
///
/// | at | bytes | what |
/// |---|---|---|
/// | 0 | 8 | its own number |
/// | 8 | 2 | not used, and never set |
/// | 10 | 2 | flags: 1 branch, 2 leaf, 4 overflow; those above exist only in memory or for duplicates |
/// | 12 | 2 | end of the offsets (lower bound of the free space) |
/// | 14 | 2 | first node (upper bound of the free space) |
/// | 16 | 2 each | offsets of the nodes, in key order |
///
/// Nodes fill the page from the upper bound to its end without a gap, in any order, each beginning at an even offset:
/// LMDB closes the gap when it deletes one, by the size the node claims. In an overflow page the two bounds are one
/// number: how many pages the run has. Its data begins at 16 and goes on over the pages behind, which have no header.
///
/// Memory that the reader owns and reuses, so a page is good until the reader reads the next one of its level.
struct Page {
  static let headerSize = 16
  static let branch: UInt16 = 0x01
  static let leaf: UInt16 = 0x02
  static let overflow: UInt16 = 0x04

  let number: UInt64
  let bytes: UnsafeRawBufferPointer

  var storedNumber: UInt64 { bytes.load(UInt64.self, insideAt: 0) ?? .max }
  var flags: UInt16 { bytes.load(UInt16.self, insideAt: 10) ?? 0 }
  var lower: Int { Int(bytes.load(UInt16.self, insideAt: 12) ?? 0) }
  var upper: Int { Int(bytes.load(UInt16.self, insideAt: 14) ?? 0) }
  var runLength: UInt32 { bytes.load(UInt32.self, insideAt: 12) ?? 0 }

  /// Only for a page whose bounds are right.
  var nodeCount: Int { (lower &- Self.headerSize) >> 1 }

  /// Why the bounds cannot be; `nil` if they can.
  var boundsFault: String? {
    let (lower, upper) = (lower, upper)
    let inOrder = lower >= Self.headerSize && lower <= upper && upper <= bytes.count
    return inOrder && lower & 1 == 0 && upper & 1 == 0 ? nil : "has the bounds \(lower) and \(upper)"
  }

  /// `nil` unless it begins at an even offset among the nodes and its key ends inside the page.
  @inline(__always)
  func node(_ index: Int) -> Node? {
    guard let start = bytes.load(UInt16.self, insideAt: Self.headerSize &+ 2 &* index) else { return nil }
    let offset = Int(start)
    guard offset & 1 == 0, offset >= upper,
      let low = bytes.load(UInt16.self, insideAt: offset), let high = bytes.load(UInt16.self, insideAt: offset &+ 2),
      let flags = bytes.load(UInt16.self, insideAt: offset &+ 4),
      let keySize = bytes.load(UInt16.self, insideAt: offset &+ 6),
      let key = bytes.part(at: offset &+ Node.headerSize, count: Int(keySize))
    else { return nil }
    return Node(offset: offset, word: UInt32(low) | UInt32(high) << 16, flags: flags, key: key)
  }
}

/// An entry of a leaf page, or a child of a branch page.
///
/// | at | bytes | what |
/// |---|---|---|
/// | 0 | 4 | leaf: size of the value; branch: low half of the child's number |
/// | 4 | 2 | leaf: flags, 1 value in overflow pages, 2 record of a database, 4 duplicates; branch: the child's high part |
/// | 6 | 2 | size of the key |
/// | 8 | | key, then in a leaf the value or, for flag 1, the first overflow page in 8 bytes |
///
/// In native byte order, as everything in the file, which here is little-endian: LMDB swaps the halves of the first 4
/// bytes on others.
struct Node {
  static let headerSize = 8
  static let overflows: UInt16 = 0x01
  static let isDatabase: UInt16 = 0x02

  let offset: Int
  let word: UInt32
  let flags: UInt16
  let key: UnsafeRawBufferPointer

  var child: UInt64 { UInt64(word) | UInt64(flags) << 32 }
  /// Where the value begins in its page.
  var valueOffset: Int { offset &+ Self.headerSize &+ key.count }
  /// Bytes the value takes in its page, for a leaf.
  var valueSize: Int { flags & Self.overflows == 0 ? Int(word) : MemoryLayout<UInt64>.size }
}

extension UnsafeRawBufferPointer {
  /// An integer at any offset and alignment; `nil` unless all its bytes are inside.
  @inline(__always)
  func load<Integer: FixedWidthInteger>(_ type: Integer.Type, insideAt offset: Int) -> Integer? {
    guard offset >= 0, offset <= count &- MemoryLayout<Integer>.size else { return nil }
    return loadUnaligned(fromByteOffset: offset, as: type)
  }

  /// The bytes of a part; `nil` unless all of it is inside.
  @inline(__always)
  func part(at offset: Int, count length: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, length >= 0, offset <= count, length <= count &- offset else { return nil }
    return UnsafeRawBufferPointer(rebasing: self[offset..<(offset &+ length)])
  }
}

extension [UInt8] {
  /// An integer at any offset; `nil` unless all its bytes are inside, since offsets come from the file.
  func load<Integer: FixedWidthInteger>(_ type: Integer.Type, insideAt offset: Int) -> Integer? {
    withUnsafeBytes { $0.load(type, insideAt: offset) }
  }
}
