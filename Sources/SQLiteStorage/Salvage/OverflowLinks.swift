/// What the pointer map says about chains of overflow pages: which page leads to each.
///
/// A number of a page that was changed, or pages that changed places, let a chain go on in that of another row. The pages tell
/// nothing of it; the map does, unless the page of the map is damaged itself: then most of what it says is wrong.
struct OverflowLinks: Sendable {
  private let map: PointerMap
  /// Pages of the map that agree with most chains.
  private let trusted: Set<UInt32>

  /// Compares the map with every chain.
  ///
  /// - Parameter numbers: Pages whose cells may have chains.
  init(_ map: PointerMap, _ reader: CellReader, _ numbers: some Sequence<UInt32>) {
    var counts: [UInt32: (agreeing: Int, others: Int)] = [:]
    for number in numbers {
      guard let page = reader.pages.tree(number), page.kind != .tableInterior else { continue }
      for cell in page.cells {
        reader.forEachLink(page, at: cell, of: number) { link in
          guard let entry = map.entry(of: link.page) else { return }
          counts[map.page(for: link.page), default: (0, 0)].agreeing += entry == link.entry ? 1 : 0
          counts[map.page(for: link.page), default: (0, 0)].others += entry == link.entry ? 0 : 1
        }
      }
    }
    self.map = map
    trusted = Set(counts.filter { $0.value.agreeing > 0 && $0.value.others * 5 <= $0.value.agreeing }.keys)
  }

  /// Whether the map says that something else leads to a page. An entry with one wrong bit is damaged itself.
  func contradicts(_ link: OverflowLink) -> Bool {
    guard trusted.contains(map.page(for: link.page)), let entry = map.entry(of: link.page) else { return false }
    let bits = (entry.kind.rawValue ^ link.entry.kind.rawValue).nonzeroBitCount
    return bits + (entry.parent ^ link.entry.parent).nonzeroBitCount > 1
  }
}

/// A page of a chain, and the page that leads to it.
struct OverflowLink: Sendable {
  let page: UInt32
  let entry: PointerMap.Entry

  /// - Parameter parent: The page with the cell for the first page of a chain, else the page before.
  init(to page: UInt32, from parent: UInt32, isFirst: Bool) {
    self.page = page
    entry = PointerMap.Entry(kind: isFirst ? .firstOverflow : .laterOverflow, parent: parent)
  }
}
