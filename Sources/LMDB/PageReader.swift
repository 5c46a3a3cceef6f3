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

  init(meta: MetaPage, of file: borrowing DataFile) throws(LMDBError) {
    let size = try file.size()
    let pageSize = Int(meta.pageSize)
    let fileEnd = UInt64(size / pageSize)
    // A page that is not there is on the free list, 8 bytes each: the file bounds the memory, whatever it says.
    guard meta.lastPage <= fileEnd &+ UInt64(size / 8) else {
      throw LMDBError(
        .damaged, message: "\(file.path) is damaged: it has \(size) bytes for \(meta.lastPage) pages")
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
    _ number: UInt64, level: Int, flags: UInt16, of tree: String, in file: borrowing DataFile
  ) throws(LMDBError) -> Page {
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
    at number: UInt64, valueSize: UInt32, of tree: String, in file: borrowing DataFile
  ) throws(LMDBError) -> UInt64 {
    try take(number, of: tree)
    let length = try withUnsafeTemporaryAllocation(byteCount: Page.headerSize, alignment: 8) {
      header throws(LMDBError) in
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
  mutating func takeFree(_ number: UInt64) throws(LMDBError) {
    guard number >= 2, number <= lastPage else { throw damaged(number, "the free list", "is free but outside") }
    guard taken.insert(number) else { throw damaged(number, "the free list", "is free but in use, or free twice") }
  }

  private mutating func take(_ number: UInt64, of tree: String) throws(LMDBError) {
    guard number >= 2, number <= lastPage, number < fileEnd else { throw damaged(number, tree, "is not in the file") }
    guard taken.insert(number) else { throw damaged(number, tree, "is in use twice") }
  }

  private func read(
    _ number: UInt64, into part: UnsafeMutableRawBufferPointer, _ flags: UInt16, _ tree: String,
    _ file: borrowing DataFile
  ) throws(LMDBError) -> Page {
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

  func damaged(_ number: UInt64, _ tree: String, _ reason: String) -> LMDBError {
    LMDBError(.damaged, message: "\(path) is damaged: page \(number) of \(tree) \(reason)")
  }
}
