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
