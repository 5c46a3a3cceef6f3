/// The least recently used key leaves.
struct LRU: SimulatedCache {
  static let name = "LRU"

  private let capacity: Int
  private var queue: KeyQueue

  init(capacity: Int, distinct: Int) {
    self.capacity = capacity
    queue = KeyQueue(distinct: distinct)
  }

  mutating func request(_ key: Int) -> Bool {
    if queue.contains(key) {
      queue.touch(key)
      return true
    }
    if queue.count == capacity { queue.removeOldest() }
    queue.append(key)
    return false
  }
}
