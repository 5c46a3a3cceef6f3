/// Three FIFO queues (Yang et al., SOSP 2023): a small probationary one, a main one with second chances, and ghosts.
struct S3FIFO: SimulatedCache {
  static let name = "S3-FIFO"
  private static let smallShare = 0.1
  /// Hits in the small queue for promotion into the main one.
  private static let promotion: UInt8 = 1
  private static let mostHits: UInt8 = 3

  private let capacity: Int
  private let smallCapacity: Int
  private var small: KeyQueue
  private var main: KeyQueue
  private var ghosts: KeyQueue
  /// Hits of each key held, up to `mostHits`.
  private var hits: [UInt8]

  init(capacity: Int, distinct: Int) {
    self.capacity = capacity
    smallCapacity = max(1, Int(Double(capacity) * Self.smallShare))
    small = KeyQueue(distinct: distinct)
    main = small
    ghosts = small
    hits = Array(repeating: 0, count: distinct)
  }

  mutating func request(_ key: Int) -> Bool {
    if small.contains(key) || main.contains(key) {
      hits[key] = min(hits[key] + 1, Self.mostHits)
      return true
    }
    while small.count + main.count >= capacity { evict() }
    hits[key] = 0
    if ghosts.contains(key) {
      ghosts.remove(key)
      main.append(key)
    } else {
      small.append(key)
    }
    return false
  }

  private mutating func evict() {
    if small.count >= smallCapacity || main.count == 0 { evictFromSmall() } else { evictFromMain() }
  }

  /// Promotes or evicts the oldest key of the small queue.
  private mutating func evictFromSmall() {
    guard let key = small.removeOldest() else { return }
    if hits[key] >= Self.promotion {
      main.append(key)
      if main.count > capacity - smallCapacity { evictFromMain() }
    } else {
      if ghosts.count >= capacity - smallCapacity { ghosts.removeOldest() }
      ghosts.append(key)
    }
  }

  private mutating func evictFromMain() {
    while let key = main.removeOldest() {
      guard hits[key] > 0 else { return }
      hits[key] -= 1
      main.append(key)
    }
  }
}
