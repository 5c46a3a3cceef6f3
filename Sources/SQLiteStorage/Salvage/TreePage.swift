/// A page of a table or an index, as far as its bytes make sense: www.sqlite.org/fileformat.html#b_tree_pages
struct TreePage {
  enum Kind: UInt8, Sendable {
    case indexInterior = 2
    case tableInterior = 5
    case indexLeaf = 10
    case tableLeaf = 13

    var isLeaf: Bool { self == .indexLeaf || self == .tableLeaf }
    var isOfTable: Bool { self == .tableInterior || self == .tableLeaf }
  }

  let bytes: [UInt8]
  let kind: Kind
  /// Where the cells begin in the page, in their order.
  let cells: [Int]
  /// The child behind the last cell; 0 for a leaf.
  let lastChild: UInt32

  /// - Parameter headerOffset: 100 for the first page, which begins with the header of the file.
  /// - Returns: `nil` if it is no such page, or what stands in its header is not possible.
  init?(_ bytes: [UInt8], headerOffset: Int, usableSize: Int) {
    guard headerOffset < bytes.count, let kind = Kind(rawValue: bytes[headerOffset]), usableSize <= bytes.count,
      let count = bytes.integer16(at: headerOffset + 3)
    else { return nil }
    let pointers = headerOffset + (kind.isLeaf ? 8 : 12)
    let firstCell = pointers + 2 * count
    guard firstCell <= usableSize else { return nil }
    self.bytes = bytes
    self.kind = kind
    lastChild = kind.isLeaf ? 0 : bytes.integer32(at: headerOffset + 8) ?? 0
    // A place outside is that of a cell that is lost; it stays, so that what is lost is counted.
    cells = (0..<count).map { index in
      let place = bytes.integer16(at: pointers + 2 * index) ?? 0
      return place >= firstCell && place < usableSize ? place : 0
    }
  }

  /// Child and key of an interior page of a table; the key is the highest row under the child.
  func tableChild(_ cell: Int) -> (page: UInt32, key: Int64)? {
    guard cell > 0, let page = bytes.integer32(at: cell) else { return nil }
    var at = cell + 4
    guard let key = bytes.varint(at: &at) else { return nil }
    return (page, Int64(bitPattern: key))
  }

  func indexChild(_ cell: Int) -> UInt32? { cell > 0 ? bytes.integer32(at: cell) : nil }
}
