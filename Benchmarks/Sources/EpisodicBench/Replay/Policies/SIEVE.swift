/// A FIFO queue whose hand skips what was visited and leaves it where it is (Zhang et al., NSDI 2024).
struct SIEVE: SimulatedCache {
  static let name = "SIEVE"

  private let capacity: Int
  private var queue: KeyQueue
  private var isVisited: [Bool]
  private var hand: Int?

  init(capacity: Int, distinct: Int) {
    self.capacity = capacity
    queue = KeyQueue(distinct: distinct)
    isVisited = Array(repeating: false, count: distinct)
  }

  mutating func request(_ key: Int) -> Bool {
    if queue.contains(key) {
      isVisited[key] = true
      return true
    }
    if queue.count == capacity { evict() }
    isVisited[key] = false
    queue.append(key)
    return false
  }

  private mutating func evict() {
    while let key = hand ?? queue.oldest {
      hand = queue.successor(of: key)
      if !isVisited[key] { return queue.remove(key) }
      isVisited[key] = false
    }
  }
}
