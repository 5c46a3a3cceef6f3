import FileLocks

/// Walks a tree in key order and refuses what LMDB relies on and does not check.
///
/// In key order every key must be greater than the one before, over all pages; a key of a branch page, but for its
/// first, which LMDB ignores, stands between the pages on both sides of it and may equal the first key behind.
struct TreeWalk {
  /// What the values of a tree are to LMDB.
  enum Kind: Equatable {
    /// Lists of pages, by the transaction that freed them, up to the last one there is.
    case freeList(lastTransaction: UInt64)
    /// Records of databases, by name.
    case main
    case database
  }

  let name: String
  let kind: Kind
  let record: TreeRecord
  /// The databases that the main tree names.
  private(set) var databases: [(name: String, record: TreeRecord)] = []
  /// What the pages so far hold.
  private var content = TreeRecord.Content()
  private let keys: KeyOrder
  private let tiling: PageTiling

  init(_ name: String, _ kind: Kind, _ record: TreeRecord, tiling: PageTiling) {
    self.name = name
    self.kind = kind
    self.record = record
    self.tiling = tiling
    keys = KeyOrder(integers: record.flags == TreeRecord.integerKeys)
  }

  mutating func run(_ reader: inout PageReader, in file: OpenFile<DataFileError>) throws(DataFileError) {
    guard hasPossibleFlags else {
      throw unsound(reader, "has flags \(record.flags) and padding \(record.padding)")
    }
    guard (record.root == TreeRecord.noRoot) == (record.depth == 0), record.depth <= PageReader.maxDepth else {
      throw unsound(reader, "has depth \(record.depth)")
    }
    if record.depth > 0 { try visit(record.root, level: 0, &reader, file) }
    guard content == record.content else {
      throw unsound(reader, "claims \(record.content) and has \(content)")
    }
  }

  private var hasPossibleFlags: Bool {
    switch kind {
    case .freeList: record.flags == TreeRecord.integerKeys
    case .main: record.flags == 0 && record.padding == 0
    case .database: record.flags & ~TreeRecord.integerKeys == 0 && record.padding == 0
    }
  }

  private mutating func visit(
    _ number: UInt64, level: Int, _ reader: inout PageReader, _ file: OpenFile<DataFileError>
  ) throws(DataFileError) {
    let isLeaf = level &+ 1 == Int(record.depth)
    let flags = isLeaf ? Page.leaf : Page.branch
    let page = try reader.read(number, level: level, flags: flags, of: name, in: file)
    if let fault = page.boundsFault { throw reader.damaged(number, name, fault) }
    // LMDB asserts that a branch has two children, and removes a leaf with its last entry.
    let count = page.nodeCount
    guard count >= (isLeaf ? 1 : 2) else { throw reader.damaged(number, name, "has \(count) nodes") }
    try tile(page, isLeaf, reader)
    if isLeaf {
      content.leafPages &+= 1
      try visitEntries(of: page, &reader, file)
    } else {
      content.branchPages &+= 1
      try visitChildren(of: page, level, &reader, file)
    }
  }

  private mutating func visitChildren(
    of page: Page, _ level: Int, _ reader: inout PageReader, _ file: OpenFile<DataFileError>
  ) throws(DataFileError) {
    for index in 0..<page.nodeCount {
      guard let node = page.node(index) else { throw reader.damaged(page.number, name, "lost node \(index)") }
      // LMDB never compares the first key, but moves it from page to page.
      let isSound = index == 0 ? node.key.count <= KeyOrder.maxKeySize : keys.advance(toSeparator: node.key)
      guard isSound else { throw reader.damaged(page.number, name, fault(index)) }
      try visit(node.child, level: level &+ 1, &reader, file)
    }
  }

  private mutating func visitEntries(
    of page: Page, _ reader: inout PageReader, _ file: OpenFile<DataFileError>
  ) throws(DataFileError) {
    let flags = kind == .main ? Node.isDatabase : 0
    let count = page.nodeCount
    content.entries &+= UInt64(count)
    for index in 0..<count {
      guard let node = page.node(index) else { throw reader.damaged(page.number, name, "lost node \(index)") }
      guard keys.advance(to: node.key) else { throw reader.damaged(page.number, name, fault(index)) }
      // A database's record is too small for overflow pages.
      guard node.flags == flags || node.flags == Node.overflows && kind != .main else {
        throw reader.damaged(page.number, name, "has flags \(node.flags) in node \(index)")
      }
      if kind == .database, node.flags == 0 { continue }
      try visitValue(node, page, &reader, file)
    }
    keys.keep()
  }

  private mutating func visitValue(
    _ node: Node, _ page: Page, _ reader: inout PageReader, _ file: OpenFile<DataFileError>
  ) throws(DataFileError) {
    var run: UInt64?
    if node.flags == Node.overflows {
      guard let first = page.bytes.load(UInt64.self, insideAt: node.valueOffset) else {
        throw reader.damaged(page.number, name, "has a value outside")
      }
      content.overflowPages &+= try reader.takeRun(at: first, valueSize: node.word, of: name, in: file)
      run = first
    }
    switch kind {
    case .database: break
    case .main:
      guard node.word == UInt32(TreeRecord.byteCount), let record = TreeRecord(page.bytes, at: node.valueOffset) else {
        throw reader.damaged(page.number, name, "has a record of \(node.word) bytes")
      }
      databases.append((String(decoding: node.key, as: UTF8.self).debugDescription, record))
    case .freeList(let lastTransaction):
      // A record of transaction 0 LMDB would take for one it has not read yet, and read it twice.
      guard let transaction = node.key.load(UInt64.self, insideAt: 0), transaction > 0,
        transaction <= lastTransaction
      else { throw reader.damaged(page.number, name, "is of a transaction there was not") }
      var list = FreePages(byteCount: Int(node.word), page: page.number)
      if let run {
        try list.take(run: run, &reader, file)
      } else if let words = page.bytes.part(at: node.valueOffset, count: Int(node.word)) {
        try list.take(words, &reader)
      }
    }
  }

  /// Refuses nodes that overlap, leave a gap or pass the page's end.
  private func tile(_ page: Page, _ isLeaf: Bool, _ reader: borrowing PageReader) throws(DataFileError) {
    let largest = reader.largestNode
    tiling.reset()
    for index in 0..<page.nodeCount {
      guard let node = page.node(index) else {
        throw reader.damaged(page.number, name, "has node \(index) outside")
      }
      let size = Node.headerSize &+ node.key.count &+ (isLeaf ? node.valueSize : 0)
      guard size <= largest, tiling.place(size: size, at: node.offset) else {
        throw reader.damaged(page.number, name, "has \(size) bytes in node \(index)")
      }
    }
    guard tiling.isFull(from: page.upper, nodes: page.nodeCount) else {
      throw reader.damaged(page.number, name, "has nodes that overlap, or gaps between them")
    }
  }

  private func fault(_ index: Int) -> String { "has a key out of order or of a wrong size in node \(index)" }

  private func unsound(_ reader: borrowing PageReader, _ reason: String) -> DataFileError {
    .damaged("\(reader.path) is damaged: \(name) at page \(record.root) \(reason)")
  }
}

/// Compares the keys of a tree as a walk meets them.
final class KeyOrder {
  static let maxKeySize = 511

  private let integers: Bool
  /// The last key, once its page may be overwritten.
  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: maxKeySize, alignment: 8)
  private var last = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Nothing comes before the first key; what comes behind a separator may equal it.
  private var mayEqual = true

  init(integers: Bool) { self.integers = integers }

  deinit {
    memory.deallocate()
  }

  /// - Parameter key: In memory that stays until `keep()`.
  /// - Returns: False if its size is wrong or it is not greater than the last.
  @inline(__always)
  func advance(to key: UnsafeRawBufferPointer) -> Bool {
    guard isSized(key) else { return false }
    let isGreater = isOrdered(last, key, orEqual: mayEqual)
    last = key
    mayEqual = false
    return isGreater
  }

  func advance(toSeparator key: UnsafeRawBufferPointer) -> Bool {
    guard advance(to: key) else { return false }
    keep()
    mayEqual = true
    return true
  }

  /// Copies the last key, because its page goes.
  func keep() {
    guard last.count <= memory.count else { return }
    memory.copyMemory(from: last)
    last = UnsafeRawBufferPointer(rebasing: memory[..<last.count])
  }

  private func isSized(_ key: UnsafeRawBufferPointer) -> Bool {
    integers ? key.count == MemoryLayout<UInt64>.size : key.count >= 1 && key.count <= Self.maxKeySize
  }

  @inline(__always)
  private func isOrdered(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, orEqual: Bool
  ) -> Bool {
    guard let one = first.baseAddress, let other = second.baseAddress else { return true }
    if integers, let one = first.load(UInt64.self, insideAt: 0), let other = second.load(UInt64.self, insideAt: 0) {
      return one < other || orEqual && one == other
    }
    let common = min(first.count, second.count)
    var offset = 0
    // Big-endian words compare like their bytes.
    while offset &+ 8 <= common {
      let (a, b) = (
        one.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
        other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      )
      if a != b { return a.bigEndian < b.bigEndian }
      offset &+= 8
    }
    while offset < common {
      let (a, b) = (
        one.load(fromByteOffset: offset, as: UInt8.self), other.load(fromByteOffset: offset, as: UInt8.self)
      )
      if a != b { return a < b }
      offset &+= 1
    }
    return first.count < second.count || orEqual && first.count == second.count
  }
}
