/// What an entry takes of the data file, so that the capacity bounds pages and not only values.
///
/// LMDB keeps a value inside a leaf page where two such fit, and gives it whole pages of its own otherwise.
struct PageCost: Sendable {
  private let page: Int

  /// Header of a page; header of a node, its key of eight bytes, and its place in the page's table.
  private static let pageHeader = 16
  private static let node = 8 + 8 + 2
  /// The entry's row in the table of insertion order.
  private static let orderRow = 48

  init(pageSize: Int) {
    page = max(pageSize, 512)
  }

  func callAsFunction(valueBytes: Int) -> Int {
    let usable = page - Self.pageHeader
    let inLeaf = valueBytes + Self.node
    guard inLeaf <= usable / 2 else {
      return (Self.pageHeader + valueBytes + page - 1) / page * page + Self.node + Self.orderRow
    }
    // Keys are hashes: pages split and empty in random places, and LMDB merges those that are less than a quarter full.
    // Measured after many generations of entries, they are 45 to 50 % full.
    return min(page * 9 / (usable / inLeaf * 4), page) + Self.orderRow
  }
}
