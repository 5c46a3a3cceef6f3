/// The free list of a commit, read without LMDB.
///
/// A file may be shorter than its last page number says: a page that one transaction both took from the end of the file
/// and gave back is counted but never written. Such a page is on the free list. So what decides between a short file
/// and a truncated one is whether every page that is not there is free.
///
/// A page: header of 16 bytes with flags at 10 (1 branch, 2 leaf, 4 overflow) and the end of the offsets at 12; then a
/// 2-byte offset a node. A node: two words of 2 bytes, flags 2, key size 2, key, data. In a branch the three words are
/// the child's number; in a leaf the two words are the data's size, and flag 1 puts the data into overflow pages. Data
/// here is a list of page numbers, its length first, 8 bytes each.
struct FreeList {
  let meta: MetaPage

  /// - Parameter first: The first page that is not there; at most the last page.
  /// - Throws: `.damaged` if one of the pages from `first` to the last is not free.
  func check(holdsPagesFrom first: UInt64, of file: borrowing DataFile) throws(LMDBError) {
    let missing = meta.lastPage + 1 - first
    var walk = Walk(pageSize: Int(meta.pageSize), first: first, last: meta.lastPage)
    if meta.freeListRoot != MetaPage.noRoot {
      try walk.visit(meta.freeListRoot, depth: 0, in: file)
    }
    if walk.found != missing {
      throw LMDBError(
        .damaged,
        message: "\(file.path) is damaged: it ends before page \(first) of \(meta.lastPage), "
          + "and \(walk.found) of the \(missing) pages behind are free")
    }
  }

  private struct Walk {
    let pageSize: Int
    let first: UInt64
    let last: UInt64
    /// Free pages from `first` to `last`.
    var found: UInt64 = 0
    /// Pages read so far; more than there are means a cycle.
    var visited: UInt64 = 0

    init(pageSize: Int, first: UInt64, last: UInt64) {
      self.pageSize = pageSize
      self.first = first
      self.last = last
    }

    mutating func visit(_ number: UInt64, depth: Int, in file: borrowing DataFile) throws(LMDBError) {
      visited += 1
      // LMDB's own limit to the depth of a tree is 32.
      guard depth < 32, visited <= first, number >= 2, number < first else { throw broken(number, file) }
      let page = PageBytes(try file.read(pageSize, at: Int(number) * pageSize))
      guard let flags = page.load(UInt16.self, at: 10), let end = page.load(UInt16.self, at: 12), end >= 16,
        flags & 0x03 == 0x01 || flags & 0x03 == 0x02
      else { throw broken(number, file) }
      for entry in stride(from: 16, to: Int(end), by: 2) {
        guard let offset = page.load(UInt16.self, at: entry),
          let low = page.load(UInt16.self, at: Int(offset)), let high = page.load(UInt16.self, at: Int(offset) + 2),
          let nodeFlags = page.load(UInt16.self, at: Int(offset) + 4),
          let keySize = page.load(UInt16.self, at: Int(offset) + 6)
        else { throw broken(number, file) }
        let word = UInt64(low) | UInt64(high) << 16
        let data = Int(offset) + 8 + Int(keySize)
        if flags & 0x01 != 0 {
          try visit(word | UInt64(nodeFlags) << 32, depth: depth + 1, in: file)
        } else if nodeFlags & 0x01 == 0 {
          guard data + Int(word) <= page.bytes.count else { throw broken(number, file) }
          try count(Array(page.bytes[data..<(data + Int(word))]), number, file)
        } else {
          guard let overflow = page.load(UInt64.self, at: data), overflow >= 2, overflow < first else {
            throw broken(number, file)
          }
          guard Int(word) <= Int(first - overflow) * pageSize - 16 else { throw broken(overflow, file) }
          try count(try file.read(Int(word), at: Int(overflow) * pageSize + 16), overflow, file)
        }
      }
    }

    private mutating func count(_ list: [UInt8], _ number: UInt64, _ file: borrowing DataFile) throws(LMDBError) {
      let words = PageBytes(list)
      guard let length = words.load(UInt64.self, at: 0), length <= UInt64(list.count / 8 - 1) else {
        throw broken(number, file)
      }
      for index in stride(from: 8, through: Int(length) * 8, by: 8) {
        if let page = words.load(UInt64.self, at: index), page >= first, page <= last { found += 1 }
      }
    }

    private func broken(_ number: UInt64, _ file: borrowing DataFile) -> LMDBError {
      LMDBError(.damaged, message: "\(file.path) is damaged: page \(number) of its free list cannot be read")
    }
  }
}
