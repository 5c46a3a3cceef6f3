/// The best groups of those that were offered: a heap with the worst on top.
struct BestGroups {
  let limit: Int
  private var heap: [GroupScore] = []

  init(limit: Int) {
    self.limit = limit
    threshold = limit > 0 ? -.infinity : .infinity
  }

  /// What a group must exceed if they are offered in ascending order: an equal one comes behind those that are here,
  /// because its number is higher.
  private(set) var threshold: Double

  /// Whether a group would be among the best; in any order, unlike `threshold`.
  @inline(__always)
  func wants(_ total: Double, _ group: UInt64) -> Bool {
    if total != threshold || heap.count < limit { return total > threshold }
    return heap.first.map { group < $0.group } ?? false
  }

  mutating func insert(_ group: GroupScore) {
    guard wants(group.total, group.group) else { return }
    if heap.count < limit {
      heap.append(group)
      siftUp(heap.count - 1)
    } else {
      heap[0] = group
      siftDown(0)
    }
    if heap.count == limit { threshold = heap.first?.total ?? threshold }
  }

  func sorted() -> [GroupScore] { heap.sorted { $0.precedes($1) } }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0, heap[(child - 1) / 2].precedes(heap[child]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var worst = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[worst].precedes(heap[child]) {
        worst = child
      }
      if worst == parent { return }
      heap.swapAt(parent, worst)
      parent = worst
    }
  }
}
