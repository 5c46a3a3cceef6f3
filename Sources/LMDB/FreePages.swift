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
  mutating func take(run: UInt64, _ reader: inout PageReader, _ file: borrowing DataFile) throws(LMDBError) {
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
  mutating func take(_ words: UnsafeRawBufferPointer, _ reader: inout PageReader) throws(LMDBError) {
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
