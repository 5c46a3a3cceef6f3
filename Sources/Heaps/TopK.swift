/// The best `capacity` elements of a stream; the outcome does not depend on the stream's order.
///
/// An element offered twice counts twice. A score of NaN is refused.
@usableFromInline package struct TopK<Element: Ranked> {
  @usableFromInline package let capacity: Int

  /// What the score of a further element must reach: -∞ until `capacity` elements are kept, then the worst score kept; +∞
  /// for a capacity of 0. An element with exactly this score enters if it ranks before the worst one kept.
  @usableFromInline package private(set) var threshold: Double

  /// A binary heap with the worst element first.
  @usableFromInline var heap: [Element] = []

  /// - Parameter capacity: 0 or less keeps nothing. Memory grows with what is kept, not with this.
  @inlinable
  package init(_ capacity: Int) {
    self.capacity = Swift.max(0, capacity)
    threshold = capacity > 0 ? -.infinity : .infinity
  }

  @inlinable package var count: Int { heap.count }

  /// Whether an element is among the best so far.
  @inlinable
  package func wouldKeep(_ element: Element) -> Bool {
    guard element.score >= threshold else { return false }
    guard heap.count == capacity else { return true }
    return heap.first.map { element.precedes($0) } ?? false
  }

  /// Keeps an element if it is among the best so far.
  ///
  /// - Returns: Whether it was kept, perhaps in place of the worst.
  /// - Complexity: O(log *k*) if it is kept, else O(1).
  @inlinable
  @discardableResult
  package mutating func insert(_ element: Element) -> Bool {
    guard wouldKeep(element) else { return false }
    if heap.count < capacity {
      heap.append(element)
      heap.siftUp(from: heap.count - 1) { $1.precedes($0) }
    } else {
      heap[0] = element
      heap.siftDown(from: 0) { $1.precedes($0) }
    }
    if heap.count == capacity, let worst = heap.first { threshold = worst.score }
    return true
  }

  /// The elements kept, best first.
  ///
  /// - Complexity: O(*k* log *k*).
  @inlinable
  package func ranked() -> [Element] { heap.sorted { $0.precedes($1) } }
}

extension TopK: Sendable where Element: Sendable {}
