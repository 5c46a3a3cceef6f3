import Synchronization

/// Reads rows and index entries from cells, following chains of overflow pages.
struct CellReader: Sendable {
  let pages: DamagedPages
  private let budget: ChainBudget
  /// `nil` in a database without a pointer map.
  var links: OverflowLinks?

  init(pages: DamagedPages) {
    self.pages = pages
    budget = ChainBudget(pages: Int(pages.count))
  }

  /// Why a cell gives no row.
  enum Fault: String, Error {
    case outside = "its place is not in the page"
    case cut = "it does not end in the page"
    case tooLong = "its length is that of no row of this file"
    case chain = "its overflow pages are damaged"
    case record = "its values are damaged"
  }

  struct Row: Sendable {
    /// `nil` for an entry of an index.
    let rowID: Int64?
    let values: [StoredValue]
  }

  /// - Parameter number: Of the page.
  func row(_ page: TreePage, at cell: Int, of number: UInt32) throws(Fault) -> Row {
    let start = try parse(page, at: cell)
    let payload = try payload(start, page, of: number)
    guard let values = Record.values(of: payload) else { throw .record }
    return Row(rowID: start.rowID, values: values)
  }

  private struct Start {
    let rowID: Int64?
    /// Bytes of the row, and those of them in the page.
    let length: Int
    let local: Int
    /// Where they begin.
    let at: Int
  }

  private func parse(_ page: TreePage, at cell: Int) throws(Fault) -> Start {
    guard cell > 0 else { throw .outside }
    var at = cell + (page.kind == .indexInterior ? 4 : 0)
    guard let size = page.bytes.varint(at: &at) else { throw .cut }
    var rowID: Int64?
    if page.kind == .tableLeaf {
      guard let key = page.bytes.varint(at: &at) else { throw .cut }
      rowID = Int64(bitPattern: key)
    }
    guard let length = Int(exactly: size), length <= Int(pages.count) * pages.usableSize else { throw .tooLong }
    let local = localLength(of: length, isTable: page.kind == .tableLeaf)
    guard local <= pages.usableSize - at else { throw .cut }
    return Start(rowID: rowID, length: length, local: local, at: at)
  }

  private func payload(_ start: Start, _ page: TreePage, of number: UInt32) throws(Fault) -> [UInt8] {
    let (length, end) = (start.length, start.at + start.local)
    var payload = Array(page.bytes[start.at..<end])
    guard start.local < length else { return payload }
    payload.reserveCapacity(length)
    guard end + 4 <= pages.usableSize, var next = page.bytes.integer32(at: end) else { throw .cut }
    var previous = number
    while payload.count < length {
      guard next > 1, budget.visit(next), let bytes = pages.bytes(next), let following = bytes.integer32(at: 0) else {
        throw .chain
      }
      let link = OverflowLink(to: next, from: previous, isFirst: payload.count == start.local)
      if let links, links.contradicts(link) { throw .chain }
      let part = min(length - payload.count, pages.usableSize - 4)
      let content = bytes[4..<4 + part]
      // A page of zeros is one that was wiped: a text has no zero, and no vector has so many.
      guard following != 0 || content.contains(where: { $0 != 0 }) else { throw .chain }
      payload += content
      previous = next
      next = following
    }
    // The chain ends with the row.
    guard next == 0 else { throw .chain }
    return payload
  }

  /// Calls `body` for each page of the chain of a cell, as far as it goes.
  func forEachLink(_ page: TreePage, at cell: Int, of number: UInt32, _ body: (OverflowLink) -> Void) {
    guard let start = try? parse(page, at: cell), start.local < start.length,
      let first = page.bytes.integer32(at: start.at + start.local)
    else { return }
    var (next, previous, left) = (first, number, start.length - start.local)
    while left > 0, next > 1, budget.visit(next), let bytes = pages.bytes(next) {
      body(OverflowLink(to: next, from: previous, isFirst: left == start.length - start.local))
      left -= pages.usableSize - 4
      previous = next
      next = bytes.integer32(at: 0) ?? 0
    }
  }

  /// Bytes of a row that stand in the page itself.
  private func localLength(of length: Int, isTable: Bool) -> Int {
    let usable = pages.usableSize
    let maximum = isTable ? usable - 35 : (usable - 12) * 64 / 255 - 23
    guard length > maximum else { return length }
    let minimum = (usable - 12) * 32 / 255 - 23
    let fitting = minimum + (length - minimum) % (usable - 4)
    return fitting <= maximum ? fitting : minimum
  }
}

/// How often each overflow page is read.
///
/// An overflow page is in one chain, and a salvage reads each chain some times. Without a bound, cells that claim one chain of all
/// pages each would take days. Bounded by the page, they leave the chains of others alone.
private final class ChainBudget: Sendable {
  private static let most: UInt8 = 64

  private let visits: Mutex<[UInt8]>

  init(pages: Int) { visits = Mutex([UInt8](repeating: 0, count: pages + 1)) }

  /// - Parameter page: Of those that there are.
  /// - Returns: False if it has been read too often.
  func visit(_ page: UInt32) -> Bool {
    visits.withLock { visits in
      let place = Int(page)
      guard place < visits.count, visits[place] < Self.most else { return false }
      visits[place] += 1
      return true
    }
  }
}
