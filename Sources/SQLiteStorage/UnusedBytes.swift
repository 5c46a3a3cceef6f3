import CSQLite
package import GRDB
import GRDBSQLite

/// The bytes of a database file that no row uses: free pages, in pages of a B-tree the gap between the cell pointers and the
/// cells and free blocks, and the end of the last overflow page of a row.
///
/// `secure_delete` overwrites deleted cells and pages that become free. It does not overwrite what is left in a gap when cells
/// move to another page, nor pages that became free under an earlier version.
///
/// Pages are read from the file as it is on the disk, so the log must have been moved into it. To be called inside a read.
package struct UnusedBytes {
  private let db: Database
  private let pageSize: Int
  private let usableSize: Int
  package let pageCount: Int

  package init(_ db: Database) throws {
    self.db = db
    pageSize = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
    pageCount = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
    var header = [UInt8](repeating: 0, count: 100)
    let isRead = try header.withUnsafeMutableBytes { try Self.read(db, into: $0, at: 0) }
    usableSize = pageSize - (isRead ? Int(header[20]) : 0)
  }

  /// Whether a free page has a byte that is not zero, apart from the numbers by which free pages are linked.
  package func hasContentInFreePages() throws -> Bool {
    var header = [UInt8](repeating: 0, count: 100)
    guard try header.withUnsafeMutableBytes({ try Self.read(db, into: $0, at: 0) }) else { return false }
    var trunk = Self.integer(header[32..<36])
    var page = [UInt8](repeating: 0, count: pageSize)
    var left = pageCount
    while trunk > 0, left > 0 {
      left -= 1
      guard try read(trunk, into: &page) else { return false }
      let next = Self.integer(page[0..<4])
      let leaves = Self.integer(page[4..<8])
      guard leaves <= usableSize / 4 - 2 else { return true }
      let listed = 8 + 4 * leaves
      if page[listed...].contains(where: { $0 != 0 }) { return true }
      let numbers = (0..<leaves).map { Self.integer(page[(8 + 4 * $0)..<(12 + 4 * $0)]) }
      for leaf in numbers where leaf > 0 {
        left -= 1
        guard try read(leaf, into: &page) else { return false }
        if page.contains(where: { $0 != 0 }) { return true }
      }
      trunk = next
    }
    return false
  }

  /// Adds the overflow pages of the rows in some pages.
  package func addOverflow(of pages: ClosedRange<Int>, to overflow: inout OverflowPages) throws {
    var page = [UInt8](repeating: 0, count: pageSize)
    for number in pages {
      guard try read(number, into: &page) else { return }
      try page.withUnsafeBytes { bytes in
        try overflow.add(bytes, header: number == 1 ? 100 : 0, usableSize: usableSize) { other in
          var next = [UInt8](repeating: 0, count: 4)
          let offset = Int64(other - 1) * Int64(pageSize)
          guard try next.withUnsafeMutableBytes({ try Self.read(db, into: $0, at: offset) }) else { return nil }
          return Self.integer(next[...])
        }
      }
    }
  }

  /// Whether a piece of a text is among the unused bytes of some pages.
  ///
  /// - Parameter pages: Numbers from 1 on.
  /// - Parameter overflow: Of all rows.
  package func contain(
    _ texts: ByteWindows, in pages: ClosedRange<Int>, but overflow: OverflowPages
  ) throws -> Bool {
    var page = [UInt8](repeating: 0, count: pageSize)
    for number in pages {
      guard try read(number, into: &page) else { return false }
      let isFound = page.withUnsafeBytes { bytes in
        let ranges =
          overflow.firstUnusedByte(of: number).map { [$0..<bytes.count] }
          ?? unused(bytes, header: number == 1 ? 100 : 0)
        return ranges.contains { range in
          texts.isFound(in: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
      }
      if isFound { return true }
    }
    return false
  }

  /// www.sqlite.org/fileformat.html#b_tree_pages.
  private func unused(_ page: UnsafeRawBufferPointer, header: Int) -> [Range<Int>] {
    let kinds: [UInt8: Int] = [0x02: 12, 0x05: 12, 0x0a: 8, 0x0d: 8]
    guard let headerSize = kinds[page[header]] else { return [0..<page.count] }
    func short(_ offset: Int) -> Int { Int(page[offset]) << 8 | Int(page[offset + 1]) }
    let pointersEnd = header + headerSize + 2 * short(header + 3)
    let cells = short(header + 5) == 0 ? 65_536 : short(header + 5)
    // Not laid out as a page of a B-tree, so it is none.
    guard pointersEnd <= cells, cells <= page.count else { return [0..<page.count] }
    var ranges = [pointersEnd..<cells]
    var block = short(header + 1)
    while block >= cells, block + 4 <= page.count {
      let size = short(block + 2)
      guard size >= 4, block + size <= page.count else { break }
      ranges.append((block + 4)..<(block + size))
      let next = short(block)
      guard next > block else { break }
      block = next
    }
    return ranges
  }

  private func read(_ number: Int, into page: inout [UInt8]) throws -> Bool {
    let offset = Int64(number - 1) * Int64(pageSize)
    return try page.withUnsafeMutableBytes { try Self.read(db, into: $0, at: offset) }
  }

  /// - Returns: False behind the end of the file, and without a file.
  private static func read(_ db: Database, into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Bool {
    let code = episodic_database_read(db.sqliteConnection, bytes.baseAddress, CInt(bytes.count), offset)
    if code == SQLITE_OK { return true }
    guard code == SQLITE_NOTFOUND else {
      throw DatabaseError(resultCode: ResultCode(rawValue: code))
    }
    return false
  }

  private static func integer(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
