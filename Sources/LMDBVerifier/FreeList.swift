import FileLocks

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
  func check(holdsPagesFrom first: UInt64, of file: OpenFile<DataFileError>) throws(DataFileError) {
    let missing = meta.lastPage + 1 - first
    var walk = Walk(pageSize: Int(meta.pageSize), first: first, last: meta.lastPage)
    if meta.freeListRoot != MetaPage.noRoot {
      try walk.visit(meta.freeListRoot, depth: 0, in: file)
    }
    if walk.found != missing {
      throw file.damaged(
        "it ends before page \(first) of \(meta.lastPage), and \(walk.found) of the \(missing) pages behind are free")
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

    mutating func visit(_ number: UInt64, depth: Int, in file: OpenFile<DataFileError>) throws(DataFileError) {
      visited += 1
      // LMDB's own limit to the depth of a tree is 32.
      guard depth < 32, visited <= first, number >= 2, number < first else { throw broken(number, file) }
      let page = try file.read(pageSize, at: Int(number) * pageSize)
      guard let flags = page.load(UInt16.self, insideAt: 10), let end = page.load(UInt16.self, insideAt: 12), end >= 16,
        flags & 0x03 == 0x01 || flags & 0x03 == 0x02
      else { throw broken(number, file) }
      for entry in stride(from: 16, to: Int(end), by: 2) {
        guard let offset = page.load(UInt16.self, insideAt: entry),
          let low = page.load(UInt16.self, insideAt: Int(offset)),
          let high = page.load(UInt16.self, insideAt: Int(offset) + 2),
          let nodeFlags = page.load(UInt16.self, insideAt: Int(offset) + 4),
          let keySize = page.load(UInt16.self, insideAt: Int(offset) + 6)
        else { throw broken(number, file) }
        let word = UInt64(low) | UInt64(high) << 16
        let data = Int(offset) + 8 + Int(keySize)
        if flags & 0x01 != 0 {
          try visit(word | UInt64(nodeFlags) << 32, depth: depth + 1, in: file)
        } else if nodeFlags & 0x01 == 0 {
          guard data + Int(word) <= page.count else { throw broken(number, file) }
          try count(Array(page[data..<(data + Int(word))]), number, file)
        } else {
          guard let overflow = page.load(UInt64.self, insideAt: data), overflow >= 2, overflow < first else {
            throw broken(number, file)
          }
          guard Int(word) <= Int(first - overflow) * pageSize - 16 else { throw broken(overflow, file) }
          try count(try file.read(Int(word), at: Int(overflow) * pageSize + 16), overflow, file)
        }
      }
    }

    private mutating func count(_ list: [UInt8], _ number: UInt64, _ file: OpenFile<DataFileError>)
      throws(DataFileError)
    {
      guard let length = list.load(UInt64.self, insideAt: 0), length <= UInt64(list.count / 8 - 1) else {
        throw broken(number, file)
      }
      for index in stride(from: 8, through: Int(length) * 8, by: 8) {
        if let page = list.load(UInt64.self, insideAt: index), page >= first, page <= last { found += 1 }
      }
    }

    private func broken(_ number: UInt64, _ file: OpenFile<DataFileError>) -> DataFileError {
      file.damaged("page \(number) of its free list cannot be read")
    }
  }
}

/// A record of the free list: the pages that one transaction freed.
///
/// Words of 8 bytes: how many pages, then their numbers, descending. Room behind them is allowed; LMDB reserves it
/// before it knows how many pages are left.
struct FreePages {
  private let page: UInt64
  private let byteCount: Int
  private var left: UInt64?
  private var last = UInt64.max

  /// - Parameter page: The page that names the record, for messages.
  init(byteCount: Int, page: UInt64) {
    self.byteCount = byteCount
    self.page = page
  }

  /// Takes the pages a list in overflow pages names, read in pieces, since it may be as long as the file.
  mutating func take(run: UInt64, _ reader: inout PageReader, _ file: OpenFile<DataFileError>) throws(DataFileError) {
    let start = Int(truncatingIfNeeded: run) &* reader.pageSize &+ Page.headerSize
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
    defer { piece.deallocate() }
    var done = 0
    repeat {
      let wanted = UnsafeMutableRawBufferPointer(rebasing: piece[..<min(piece.count, byteCount &- done)])
      guard try file.read(into: wanted, at: start &+ done) == wanted.count else {
        throw reader.damaged(run, Self.tree, "is not all there")
      }
      try take(UnsafeRawBufferPointer(wanted), &reader)
      done &+= wanted.count
    } while done < byteCount && left != 0
  }

  /// Takes the pages the next words of the list name.
  mutating func take(_ words: UnsafeRawBufferPointer, _ reader: inout PageReader) throws(DataFileError) {
    for offset in stride(from: 0, to: words.count, by: 8) {
      if left == 0 { return }
      guard let word = words.load(UInt64.self, insideAt: offset) else { break }
      guard let count = left else {
        guard byteCount & 7 == 0, word < UInt64(byteCount) / 8 else {
          throw reader.damaged(page, Self.tree, "has a list of \(word) pages in \(byteCount) bytes")
        }
        left = word
        continue
      }
      guard word < last else { throw reader.damaged(page, Self.tree, "has a list out of order") }
      try reader.takeFree(word)
      last = word
      left = count &- 1
    }
    if left == nil { throw reader.damaged(page, Self.tree, "has a list of \(byteCount) bytes") }
  }

  private static let tree = "the free list"
}
