import FileLocks

/// Reads the pages of all trees of a commit, each at most once: a page in two places would be given out twice.
///
/// Memory of its own for each level of a tree, since a branch page is still needed while its children are walked.
struct PageReader: ~Copyable {
  /// LMDB's own limit to the depth of a tree.
  static let maxDepth = 32

  let path: String
  let pageSize: Int
  let lastPage: UInt64
  /// The first page that is not there, or not all of it.
  let fileEnd: UInt64
  private var taken: PageSet
  private let memory: UnsafeMutableRawBufferPointer

  init(meta: MetaPage, of file: OpenFile<DataFileError>) throws(DataFileError) {
    let size = Int(try file.status().size)
    let pageSize = Int(meta.pageSize)
    let fileEnd = UInt64(size / pageSize)
    // A page that is not there is on the free list, 8 bytes each: so the size of the file bounds the memory.
    guard meta.lastPage <= fileEnd &+ UInt64(size / 8) else {
      throw file.damaged("it has \(size) bytes for \(meta.lastPage) pages")
    }
    path = file.path
    self.pageSize = pageSize
    lastPage = meta.lastPage
    self.fileEnd = fileEnd
    taken = PageSet(limit: meta.lastPage &+ 1)
    memory = .allocate(byteCount: Self.maxDepth * pageSize, alignment: 16)
  }

  deinit {
    memory.deallocate()
  }

  /// Bytes a node may take; LMDB's splitting of a page counts on two of them fitting.
  var largestNode: Int { (((pageSize - Page.headerSize) / 2) & ~1) - 2 }

  /// - Parameter level: 0 at the root; less than `maxDepth`.
  mutating func read(
    _ number: UInt64, level: Int, flags: UInt16, of tree: String, in file: OpenFile<DataFileError>
  ) throws(DataFileError) -> Page {
    try take(number, of: tree)
    let start = level &* pageSize
    guard level >= 0, start <= memory.count &- pageSize else { throw damaged(number, tree, "is too deep") }
    let part = UnsafeMutableRawBufferPointer(rebasing: memory[start..<(start &+ pageSize)])
    return try read(number, into: part, flags, tree, file)
  }

  /// Takes a run of overflow pages, of which it reads the header only.
  ///
  /// - Parameter valueSize: Bytes of the value; the run may have room for more, left from a larger value.
  /// - Returns: How many pages the run has.
  mutating func takeRun(
    at number: UInt64, valueSize: UInt32, of tree: String, in file: OpenFile<DataFileError>
  ) throws(DataFileError) -> UInt64 {
    try take(number, of: tree)
    let length = try withUnsafeTemporaryAllocation(byteCount: Page.headerSize, alignment: 8) {
      header throws(DataFileError) in
      UInt64(try read(number, into: header, Page.overflow, tree, file).runLength)
    }
    let needed = (UInt64(valueSize) + UInt64(Page.headerSize - 1)) / UInt64(pageSize) + 1
    guard length >= needed, length <= fileEnd &- number, length <= lastPage &- number &+ 1 else {
      throw damaged(number, tree, "begins a run of \(length) pages for \(valueSize) bytes")
    }
    for offset in 1..<max(length, 1) { try take(number &+ offset, of: tree) }
    return length
  }

  /// Takes a page that the free list names; it need not be in the file.
  mutating func takeFree(_ number: UInt64) throws(DataFileError) {
    guard number >= 2, number <= lastPage else { throw damaged(number, "the free list", "is free but outside") }
    guard taken.insert(number) else { throw damaged(number, "the free list", "is free but in use, or free twice") }
  }

  private mutating func take(_ number: UInt64, of tree: String) throws(DataFileError) {
    guard number >= 2, number <= lastPage, number < fileEnd else { throw damaged(number, tree, "is not in the file") }
    guard taken.insert(number) else { throw damaged(number, tree, "is in use twice") }
  }

  private func read(
    _ number: UInt64, into part: UnsafeMutableRawBufferPointer, _ flags: UInt16, _ tree: String,
    _ file: OpenFile<DataFileError>
  ) throws(DataFileError) -> Page {
    // Inside the file, whose size is an Int.
    let offset = Int(truncatingIfNeeded: number) &* pageSize
    guard try file.read(into: part, at: offset) == part.count else {
      throw damaged(number, tree, "is not all there")
    }
    let page = Page(number: number, bytes: UnsafeRawBufferPointer(part))
    guard page.storedNumber == number else { throw damaged(number, tree, "says it is page \(page.storedNumber)") }
    guard page.flags == flags else { throw damaged(number, tree, "has flags \(page.flags), not \(flags)") }
    return page
  }

  func damaged(_ number: UInt64, _ tree: String, _ reason: String) -> DataFileError {
    .damaged("\(path) is damaged: page \(number) of \(tree) \(reason)")
  }
}

/// A set of page numbers, a bit each.
struct PageSet {
  private var words: [UInt64]
  /// Numbers it can hold: 0 to this, exclusive.
  let limit: UInt64

  init(limit: UInt64) {
    self.limit = limit
    words = Array(repeating: 0, count: Int(clamping: limit / 64) &+ 1)
  }

  /// - Returns: Whether it was not there yet; false also for one past the limit.
  @inline(__always)
  mutating func insert(_ page: UInt64) -> Bool {
    guard page < limit else { return false }
    let index = Int(truncatingIfNeeded: page >> 6)
    guard index < words.count else { return false }
    let bit = UInt64(1) << (page & 63)
    if words[index] & bit != 0 { return false }
    words[index] |= bit
    return true
  }
}

/// The offsets and sizes of the nodes of a page, to check that they fill their part of it without overlap or gap.
///
/// O(*n*) for *n* nodes, where sorting them by offset would take longer than all other checks together.
final class PageTiling {
  /// Size of the node that begins at twice the index; 0 for none.
  private let sizes: UnsafeMutableBufferPointer<UInt16>

  init(pageSize: Int) {
    sizes = .allocate(capacity: pageSize / 2)
    sizes.initialize(repeating: 0)
  }

  deinit {
    sizes.deallocate()
  }

  func reset() { sizes.update(repeating: 0) }

  /// - Parameter size: Bytes the node fills, before they are rounded up to an even number.
  /// - Returns: False if another node begins there.
  @inline(__always)
  func place(size: Int, at offset: Int) -> Bool {
    let index = offset >> 1
    guard size > 0, let size = UInt16(exactly: (size &+ 1) & ~1), index >= 0, index < sizes.count,
      sizes[index] == 0
    else { return false }
    sizes[index] = size
    return true
  }

  /// Whether every byte from `start` to the end of the page is of exactly one node, and no node is elsewhere.
  func isFull(from start: Int, nodes: Int) -> Bool {
    var index = start >> 1
    var left = nodes
    while index < sizes.count {
      let size = Int(sizes[index]) >> 1
      guard size > 0 else { return false }
      index &+= size
      left &-= 1
    }
    return index == sizes.count && left == 0
  }
}
