/// What the file says of a tree as a whole: where it begins, and how much of it there must be.
///
/// | at | bytes | what |
/// |---|---|---|
/// | 0 | 4 | size of fixed-size duplicates; in the free list's record the page size |
/// | 4 | 2 | flags: 8 for integer keys; the others are about duplicates and key order |
/// | 6 | 2 | depth: 0 without a root, 1 if the root is a leaf |
/// | 8 | 8 each | branch pages, leaf pages, overflow pages, entries |
/// | 40 | 8 | root; all bits set if the tree is empty |
struct TreeRecord: Equatable {
  static let byteCount = 48
  static let integerKeys: UInt16 = 0x08
  /// The root of an empty tree.
  static let noRoot = UInt64.max

  let padding: UInt32
  let flags: UInt16
  let depth: UInt16
  let content: Content
  let root: UInt64

  /// How much a tree holds: what its record claims, or what a walk has counted.
  struct Content: Equatable {
    var branchPages: UInt64 = 0
    var leafPages: UInt64 = 0
    var overflowPages: UInt64 = 0
    var entries: UInt64 = 0
  }

  /// `nil` unless all 48 bytes are there.
  init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    guard let record = bytes.part(at: offset, count: Self.byteCount),
      let padding = record.load(UInt32.self, insideAt: 0), let flags = record.load(UInt16.self, insideAt: 4),
      let depth = record.load(UInt16.self, insideAt: 6), let branchPages = record.load(UInt64.self, insideAt: 8),
      let leafPages = record.load(UInt64.self, insideAt: 16),
      let overflowPages = record.load(UInt64.self, insideAt: 24),
      let entries = record.load(UInt64.self, insideAt: 32), let root = record.load(UInt64.self, insideAt: 40)
    else { return nil }
    self.padding = padding
    self.flags = flags
    self.depth = depth
    content = Content(
      branchPages: branchPages, leafPages: leafPages, overflowPages: overflowPages, entries: entries)
    self.root = root
  }
}
