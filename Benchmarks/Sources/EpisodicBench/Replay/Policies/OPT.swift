/// The optimum for a cache that admits every key: evicts the key requested furthest in the future (Belady, 1966).
enum OPT {
  static let name = "OPT"

  static func hits(_ requests: [Int], distinct: Int, capacity: Int) -> Int {
    let next = nextRequests(requests, distinct: distinct)
    /// The next request of each key held; `nil` for a key not held.
    var held: [Int?] = Array(repeating: nil, count: distinct)
    var farthestFirst = MaximumHeap()
    var count = 0
    var hits = 0
    for (index, key) in requests.enumerated() {
      if held[key] != nil {
        hits += 1
      } else if count < capacity {
        count += 1
      } else {
        // Outdated elements: the key was requested since, or evicted.
        while let (time, victim) = farthestFirst.popMaximum() {
          guard held[victim] == time else { continue }
          held[victim] = nil
          break
        }
      }
      held[key] = next[index]
      farthestFirst.insert(next[index], key)
    }
    return hits
  }

  /// For each request, the index of the next request of its key; past the end if there is none.
  private static func nextRequests(_ requests: [Int], distinct: Int) -> [Int] {
    var next = requests
    var coming = Array(repeating: requests.count, count: distinct)
    for (index, key) in requests.enumerated().reversed() {
      next[index] = coming[key]
      coming[key] = index
    }
    return next
  }
}

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
