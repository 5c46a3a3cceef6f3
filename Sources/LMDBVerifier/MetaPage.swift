/// One of the two meta pages of a data file: the roots and the extent of a commit.
///
/// Layout of format 1 on a 64-bit machine, in native byte order: page header at 0 (number 8 bytes, padding 2, flags 2,
/// bounds 4), then magic 4, version 4, address 8, map size 8, the records of the free list and of the main database
/// (48 each: see `TreeRecord`), last page 8, transaction 8.
struct MetaPage: Equatable {
  static let byteCount = 152

  let pageNumber: UInt64
  let pageFlags: UInt16
  let magic: UInt32
  let version: UInt32
  /// LMDB keeps it in the padding of the free list's record.
  let pageSize: UInt32
  let mapSize: UInt64
  let freeList: TreeRecord
  let main: TreeRecord
  let lastPage: UInt64
  let transaction: UInt64

  /// LMDB keeps the environment's flags in the record of the free list.
  var environmentFlags: UInt16 { freeList.flags }
  var freeListRoot: UInt64 { freeList.root }
  var mainRoot: UInt64 { main.root }

  /// `nil` if `bytes` are fewer than `byteCount`.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.byteCount else { return nil }
    guard let pageNumber = bytes.load(UInt64.self, insideAt: 0), let pageFlags = bytes.load(UInt16.self, insideAt: 10),
      let magic = bytes.load(UInt32.self, insideAt: 16), let version = bytes.load(UInt32.self, insideAt: 20),
      let mapSize = bytes.load(UInt64.self, insideAt: 32),
      let freeList = bytes.withUnsafeBytes({ TreeRecord($0, at: 40) }),
      let main = bytes.withUnsafeBytes({ TreeRecord($0, at: 88) }),
      let lastPage = bytes.load(UInt64.self, insideAt: 136), let transaction = bytes.load(UInt64.self, insideAt: 144)
    else { return nil }
    self.pageNumber = pageNumber
    self.pageFlags = pageFlags
    self.magic = magic
    self.version = version
    self.pageSize = freeList.padding
    self.mapSize = mapSize
    self.freeList = freeList
    self.main = main
    self.lastPage = lastPage
    self.transaction = transaction
  }

  /// - Parameter number: 0 or 1, the page it was read from.
  func check(number: UInt64, of path: String) throws(DataFileError) {
    func damaged(_ reason: String) -> DataFileError {
      .damaged("\(path) is damaged: meta page \(number) \(reason)")
    }
    guard magic == 0xBEEF_C0DE else { throw damaged("has no LMDB magic number") }
    guard version == 1 else {
      throw DataFileError.unknownFormat("\(path) has LMDB format \(version), not 1")
    }
    guard pageFlags & 0x08 != 0, pageNumber == number else { throw damaged("is another page") }
    guard (512...32_768).contains(pageSize), pageSize & (pageSize - 1) == 0 else {
      throw damaged("names a page size of \(pageSize)")
    }
    // The free list has integer keys; the lowest bit would have the map at a fixed address.
    guard environmentFlags & 0x09 == 0x08 else { throw damaged("has flags \(environmentFlags)") }
    guard lastPage >= 1, lastPage < UInt64(Int.max) / UInt64(pageSize) else {
      throw damaged("names \(lastPage) as the last page")
    }
    for root in [freeListRoot, mainRoot] where root != Self.noRoot && (root < 2 || root > lastPage) {
      throw damaged("names page \(root) of \(lastPage) as a root")
    }
  }

  /// The root of an empty tree.
  static let noRoot = TreeRecord.noRoot
}

/// The record of a tree: its root, and how many pages and entries it must have.
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
