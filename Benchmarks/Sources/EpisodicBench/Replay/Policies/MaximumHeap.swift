/// Pairs of a priority and a key, the highest priority first.
struct MaximumHeap {
  typealias Element = (priority: Int, key: Int)
  private var elements: [Element] = []

  mutating func insert(_ priority: Int, _ key: Int) {
    elements.append((priority, key))
    var child = elements.count - 1
    while child > 0, case let parent = (child - 1) / 2, elements[parent].priority < elements[child].priority {
      elements.swapAt(parent, child)
      child = parent
    }
  }

  mutating func popMaximum() -> Element? {
    guard !elements.isEmpty else { return nil }
    elements.swapAt(0, elements.count - 1)
    let maximum = elements.removeLast()
    var parent = 0
    while let child = largestChild(of: parent), elements[child].priority > elements[parent].priority {
      elements.swapAt(parent, child)
      parent = child
    }
    return maximum
  }

  private func largestChild(of parent: Int) -> Int? {
    let left = 2 * parent + 1
    let right = left + 1
    guard left < elements.count else { return nil }
    return right < elements.count && elements[right].priority > elements[left].priority ? right : left
  }
}
