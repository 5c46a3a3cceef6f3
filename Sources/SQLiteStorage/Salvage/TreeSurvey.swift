/// The leaves of one table, as far as its tree leads to them.
struct TreeSurvey: Sendable {
  /// In the order of their rows; for a table without row ids with the pages between, which hold rows too.
  private(set) var pages: [UInt32] = []
  /// Row ids whose page cannot be reached through the tree.
  private(set) var gaps: [ClosedRange<Int64>] = []
  private(set) var isWhole = true

  /// - Parameter owned: The pages of all trees; grows by those of this one.
  init(root: UInt32, isOfTable: Bool, _ pages: DamagedPages, owned: inout Set<UInt32>) {
    // The last is looked at next: the children of a page are added from last to first.
    var pending: [(page: UInt32, low: Int64, high: Int64)] = [(root, .min, .max)]
    while let (number, low, high) = pending.popLast() {
      guard number > 0, number <= pages.count, !owned.contains(number), let page = pages.tree(number),
        page.kind.isOfTable == isOfTable
      else {
        isWhole = false
        if low <= high { gaps.append(low...high) }
        continue
      }
      owned.insert(number)
      if page.kind.isLeaf || !isOfTable { self.pages.append(number) }
      if page.kind.isLeaf { continue }
      var children: [(page: UInt32, low: Int64, high: Int64)] = []
      var least = low
      for cell in page.cells {
        if isOfTable {
          guard let child = page.tableChild(cell), child.key >= least, child.key <= high else {
            isWhole = false
            continue
          }
          children.append((child.page, least, child.key))
          least = child.key == .max ? .max : child.key + 1
        } else if let child = page.indexChild(cell) {
          children.append((child, 0, -1))
        } else {
          isWhole = false
        }
      }
      children.append((page.lastChild, isOfTable ? least : 0, isOfTable ? high : -1))
      pending += children.reversed()
    }
  }
}
