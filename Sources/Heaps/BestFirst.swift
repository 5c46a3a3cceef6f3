/// Elements that are taken out best first: cheaper than sorting if only a few are taken.
@usableFromInline package struct BestFirst<Element: Ranked> {
  /// A binary heap with the best element first.
  @usableFromInline var heap: [Element]

  /// - Complexity: O(*n*).
  @inlinable
  package init(_ elements: [Element]) {
    heap = elements
    for parent in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(from: parent) }
  }

  @inlinable package var count: Int { heap.count }

  /// Removes and returns the best element.
  ///
  /// - Complexity: O(log *n*).
  @inlinable
  package mutating func popFirst() -> Element? {
    guard let best = heap.first, let last = heap.popLast() else { return nil }
    if !heap.isEmpty {
      heap[0] = last
      siftDown(from: 0)
    }
    return best
  }

  @inlinable
  mutating func siftDown(from start: Int) { heap.siftDown(from: start) { $0.precedes($1) } }
}

extension BestFirst: Sendable where Element: Sendable {}
