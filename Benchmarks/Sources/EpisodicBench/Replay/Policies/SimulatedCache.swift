/// A cache policy without values: decides which keys are kept.
///
/// Keys are the numbers below `distinct`, so that their state is in arrays.
protocol SimulatedCache {
  static var name: String { get }

  init(capacity: Int, distinct: Int)

  /// Requests a key, and admits it if the policy does.
  ///
  /// - Returns: Whether it was a hit.
  mutating func request(_ key: Int) -> Bool
}

extension SimulatedCache {
  /// The number of hits in a cache that is empty at first.
  static func hits(_ requests: [Int], distinct: Int, capacity: Int) -> Int {
    var cache = Self(capacity: capacity, distinct: distinct)
    return requests.count { cache.request($0) }
  }
}

/// First in, first out.
struct FIFO: SimulatedCache {
  static let name = "FIFO"

  private let capacity: Int
  private var queue: KeyQueue

  init(capacity: Int, distinct: Int) {
    self.capacity = capacity
    queue = KeyQueue(distinct: distinct)
  }

  mutating func request(_ key: Int) -> Bool {
    if queue.contains(key) { return true }
    if queue.count == capacity { queue.removeOldest() }
    queue.append(key)
    return false
  }
}

/// Evicts the least recently used key.
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

/// A FIFO queue whose hand skips visited keys without moving them (Zhang et al., NSDI 2024).
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

/// Keys in order, oldest first, each at most once; a linked list in two arrays, so every operation takes constant time.
struct KeyQueue {
  private static let absent = -1

  /// The neighbours of each key; the index after the last key is the ring's anchor.
  private var newer: [Int]
  private var older: [Int]
  private let anchor: Int
  private(set) var count = 0

  init(distinct: Int) {
    anchor = distinct
    newer = Array(repeating: Self.absent, count: distinct + 1)
    older = newer
    newer[anchor] = anchor
    older[anchor] = anchor
  }

  var oldest: Int? { count > 0 ? newer[anchor] : nil }

  func contains(_ key: Int) -> Bool { newer[key] != Self.absent }

  /// The next younger key; `nil` for the youngest.
  func successor(of key: Int) -> Int? { newer[key] == anchor ? nil : newer[key] }

  /// Adds a key that is not in it, as the youngest.
  mutating func append(_ key: Int) {
    let last = older[anchor]
    newer[last] = key
    older[key] = last
    newer[key] = anchor
    older[anchor] = key
    count += 1
  }

  /// Removes a key that is in it.
  mutating func remove(_ key: Int) {
    newer[older[key]] = newer[key]
    older[newer[key]] = older[key]
    newer[key] = Self.absent
    older[key] = Self.absent
    count -= 1
  }

  @discardableResult
  mutating func removeOldest() -> Int? {
    guard let key = oldest else { return nil }
    remove(key)
    return key
  }

  /// Moves a key that is in it to the youngest end.
  mutating func touch(_ key: Int) {
    remove(key)
    append(key)
  }
}
