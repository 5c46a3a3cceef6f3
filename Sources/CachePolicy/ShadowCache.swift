/// A simulation of the cache under one expert, in shared memory: hashes of at most 512 keys and of as many evicted ones.
///
/// Lists of nodes linked by index. Any bytes are safe: every index is masked when it is read and every loop is bounded by
/// the number of nodes, so that garbage costs hit rate and nothing else. All zeros is an empty cache.
struct ShadowCache {
  static let maximumCapacity = 512
  private static let nodeCount = 2048
  private static let bucketCount = 1024
  static let byteCount = nodeCount * MemoryLayout<Node>.stride + bucketCount * 2 + 64

  /// 16 bytes. Index 0 means none.
  private struct Node {
    var hash: UInt64 = 0
    var nextInBucket: UInt16 = 0
    var previous: UInt16 = 0
    var next: UInt16 = 0
    var list: UInt8 = 0
    var isReferenced: UInt8 = 0
  }

  private struct List {
    var oldest: UInt16 = 0
    var newest: UInt16 = 0
    var count: UInt16 = 0
    var unused: UInt16 = 0
  }

  private static let window: UInt8 = 1
  private static let main: UInt8 = 2
  private static let evicted: UInt8 = 3
  private static let free: UInt8 = 0

  private let nodes: UnsafeMutablePointer<Node>
  private let buckets: UnsafeMutablePointer<UInt16>
  /// By `Node.list`; `unused` of the free list counts the nodes that were ever taken.
  private let lists: UnsafeMutablePointer<List>
  private let capacity: Int
  private let expert: PolicyExpert
  private let sketch: FrequencySketch

  init(_ bytes: UnsafeMutableRawPointer, capacity: Int, expert: PolicyExpert, sketch: FrequencySketch) {
    nodes = bytes.assumingMemoryBound(to: Node.self)
    let buckets = bytes + Self.nodeCount * MemoryLayout<Node>.stride
    self.buckets = buckets.assumingMemoryBound(to: UInt16.self)
    lists = (buckets + Self.bucketCount * 2).assumingMemoryBound(to: List.self)
    self.capacity = min(capacity, Self.maximumCapacity)
    self.expert = expert
    self.sketch = sketch
  }

  var isFull: Bool { count(Self.window) + count(Self.main) >= capacity }

  func holds(_ hash: UInt64) -> Bool {
    guard let node = node(of: hash) else { return false }
    return nodes[node].list == Self.window || nodes[node].list == Self.main
  }

  /// Requests a key, and fills it on a miss.
  ///
  /// - Returns: Whether it was a hit.
  func access(_ hash: UInt64) -> Bool {
    let node = node(of: hash)
    if let node, nodes[node].list == Self.window || nodes[node].list == Self.main {
      nodes[node].isReferenced = 1
      return true
    }
    for _ in 0..<2 * Self.maximumCapacity {
      guard isFull else { break }
      makeRoom()
    }
    // Lists that are full and have nothing to evict are garbage.
    guard !isFull else {
      clear()
      return false
    }
    // Making room may have freed the node.
    if let node, nodes[node].list == Self.evicted, nodes[node].hash == hash {
      move(node, to: expert.remembersEvicted ? Self.main : Self.window)
      nodes[node].isReferenced = 0
    } else {
      insert(hash)
    }
    return false
  }

  private func makeRoom() {
    let share = max(1, Int((expert.windowShare * Double(capacity)).rounded()))
    guard count(Self.window) >= share || count(Self.main) == 0, let candidate = oldest(Self.window) else {
      if let victim = victim() { evict(victim) }
      return
    }
    if count(Self.main) < capacity - share {
      nodes[candidate].isReferenced = 0
      return move(candidate, to: Self.main)
    }
    guard let victim = victim(),
      expert.admits(
        isReferenced: nodes[candidate].isReferenced != 0, candidate: sketch.frequency(of: nodes[candidate].hash),
        over: sketch.frequency(of: nodes[victim].hash))
    else { return evict(candidate) }
    evict(victim)
    nodes[candidate].isReferenced = 0
    move(candidate, to: Self.main)
  }

  /// The CLOCK circle is a queue here: a referenced entry moves to its end.
  private func victim() -> Int? {
    for _ in 0..<Self.maximumCapacity {
      guard let node = oldest(Self.main), nodes[node].isReferenced != 0 else { break }
      nodes[node].isReferenced = 0
      move(node, to: Self.main)
    }
    return oldest(Self.main)
  }

  private func evict(_ node: Int) {
    move(node, to: Self.evicted)
    guard count(Self.evicted) > capacity, let oldest = oldest(Self.evicted) else { return }
    removeFromBucket(oldest)
    move(oldest, to: Self.free)
  }

  // MARK: Nodes

  private func node(of hash: UInt64) -> Int? {
    var node = masked(buckets[Self.bucket(of: hash)])
    for _ in 0..<Self.nodeCount {
      guard node != 0 else { break }
      if nodes[node].hash == hash { return node }
      node = masked(nodes[node].nextInBucket)
    }
    return nil
  }

  private func insert(_ hash: UInt64) {
    var node = oldest(Self.free) ?? 0
    if node == 0 {
      let taken = Int(lists[0].unused) + 1
      guard taken < Self.nodeCount else { return clear() }
      lists[0].unused = UInt16(taken)
      node = taken
    } else {
      unlink(node)
    }
    let bucket = Self.bucket(of: hash)
    nodes[node] = Node(hash: hash, nextInBucket: buckets[bucket])
    buckets[bucket] = UInt16(node)
    link(node, to: Self.window)
  }

  private func removeFromBucket(_ node: Int) {
    let bucket = Self.bucket(of: nodes[node].hash)
    var current = masked(buckets[bucket])
    if current == node { return buckets[bucket] = nodes[node].nextInBucket }
    for _ in 0..<Self.nodeCount {
      guard current != 0 else { return }
      let next = masked(nodes[current].nextInBucket)
      if next == node { return nodes[current].nextInBucket = nodes[node].nextInBucket }
      current = next
    }
  }

  /// After a process died inside a change, or if the bytes make no sense.
  func clear() {
    UnsafeMutableRawPointer(nodes).initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
  }

  // MARK: Lists

  private func count(_ list: UInt8) -> Int { Int(lists[Int(list)].count) }

  private func oldest(_ list: UInt8) -> Int? {
    let node = masked(lists[Int(list)].oldest)
    return node == 0 ? nil : node
  }

  private func move(_ node: Int, to list: UInt8) {
    unlink(node)
    link(node, to: list)
  }

  private func unlink(_ node: Int) {
    let list = Int(nodes[node].list & 3)
    let previous = masked(nodes[node].previous)
    let next = masked(nodes[node].next)
    if previous == 0 { lists[list].oldest = UInt16(next) } else { nodes[previous].next = UInt16(next) }
    if next == 0 { lists[list].newest = UInt16(previous) } else { nodes[next].previous = UInt16(previous) }
    lists[list].count &-= 1
  }

  private func link(_ node: Int, to list: UInt8) {
    let newest = masked(lists[Int(list)].newest)
    nodes[node].list = list
    nodes[node].previous = UInt16(newest)
    nodes[node].next = 0
    if newest == 0 { lists[Int(list)].oldest = UInt16(node) } else { nodes[newest].next = UInt16(node) }
    lists[Int(list)].newest = UInt16(node)
    lists[Int(list)].count &+= 1
  }

  private func masked(_ index: UInt16) -> Int { Int(index) & (Self.nodeCount - 1) }

  private static func bucket(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 20) & (bucketCount - 1) }
}
