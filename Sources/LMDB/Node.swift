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
