/// Reads rows and index entries from cells, following chains of overflow pages.
struct CellReader: Sendable {
  let pages: DamagedPages

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

  func row(_ page: TreePage, at cell: Int) throws(Fault) -> Row {
    guard cell > 0 else { throw .outside }
    var at = cell + (page.kind == .indexInterior ? 4 : 0)
    guard let size = page.bytes.varint(at: &at) else { throw .cut }
    var rowID: Int64?
    if page.kind == .tableLeaf {
      guard let key = page.bytes.varint(at: &at) else { throw .cut }
      rowID = Int64(bitPattern: key)
    }
    guard let length = Int(exactly: size), length <= Int(pages.count) * pages.usableSize else { throw .tooLong }
    let payload = try payload(length, page, at)
    guard let values = Record.values(of: payload) else { throw .record }
    return Row(rowID: rowID, values: values)
  }

  private func payload(_ length: Int, _ page: TreePage, _ at: Int) throws(Fault) -> [UInt8] {
    let local = localLength(of: length, isTable: page.kind == .tableLeaf)
    guard local <= pages.usableSize - at else { throw .cut }
    var payload = Array(page.bytes[at..<at + local])
    guard local < length else { return payload }
    payload.reserveCapacity(length)
    guard at + local + 4 <= pages.usableSize, var next = page.bytes.integer32(at: at + local) else { throw .cut }
    while payload.count < length {
      guard next > 1, let bytes = pages.bytes(next), let following = bytes.integer32(at: 0) else { throw .chain }
      let part = min(length - payload.count, pages.usableSize - 4)
      let content = bytes[4..<4 + part]
      // A page of zeros is one that was wiped: a text has no zero, and no vector has so many.
      guard following != 0 || content.contains(where: { $0 != 0 }) else { throw .chain }
      payload += content
      next = following
    }
    // The chain ends with the row.
    guard next == 0 else { throw .chain }
    return payload
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
