package import CachePolicy

/// The loop that makes room, over collections in memory; the cache runs the same loop over tables of LMDB.
package struct ModelCache {
  package struct Row {
    package let hash: UInt64
    package let cost: Int
  }

  /// Rows by the sequence of their fill.
  package struct Table {
    package private(set) var sequences: [UInt64] = []
    private var rows: [UInt64: Row] = [:]
    private(set) var cost = 0

    var isEmpty: Bool { sequences.isEmpty }
    var first: (sequence: UInt64, row: Row)? { entry(at: 0) }
    var last: UInt64? { sequences.last }

    /// The first row at `sequence` or behind it.
    func first(from sequence: UInt64) -> (sequence: UInt64, row: Row)? { entry(at: position(of: sequence)) }

    mutating func insert(_ row: Row, at sequence: UInt64) {
      sequences.insert(sequence, at: position(of: sequence))
      rows[sequence] = row
      cost += row.cost
    }

    mutating func remove(at sequence: UInt64) {
      guard let row = rows.removeValue(forKey: sequence) else { return }
      sequences.remove(at: position(of: sequence))
      cost -= row.cost
    }

    private func entry(at position: Int) -> (sequence: UInt64, row: Row)? {
      guard position < sequences.count, let row = rows[sequences[position]] else { return nil }
      return (sequences[position], row)
    }

    private func position(of sequence: UInt64) -> Int {
      var (low, high) = (0, sequences.count)
      while low < high {
        let middle = (low + high) / 2
        if sequences[middle] < sequence { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  /// Bounds of one fill.
  static let dispensableLooks = 16
  static let secondChances = 128

  let capacity: Int
  package private(set) var entries: [UInt64: UInt64] = [:]
  package private(set) var window = Table()
  package private(set) var main = Table()
  private var sequence: UInt64 = 0
  /// Where the hand is, and the number that ends its lap: what enters the circle during a lap waits for the next one.
  private var hand: UInt64 = 0
  private var lapEnd: UInt64 = 0

  package init(capacity: Int) { self.capacity = capacity }

  package var cost: Int { window.cost + main.cost }

  /// Requests a key, and fills it on a miss.
  package mutating func access(_ hash: UInt64, cost: Int = 1, policy: EvictionPolicy) -> Bool {
    if entries[hash] != nil {
      policy.recordHit(hash)
      return true
    }
    policy.recordMiss(hash)
    let skipsWindow = policy.skipsWindow(hash)
    makeRoom(for: cost, policy)
    sequence += 1
    entries[hash] = sequence
    let row = Row(hash: hash, cost: cost)
    if skipsWindow { main.insert(row, at: sequence) } else { window.insert(row, at: sequence) }
    return false
  }

  private mutating func makeRoom(for cost: Int, _ policy: EvictionPolicy) {
    let share = max(Int(policy.windowShare * Double(capacity)), cost)
    while self.cost + cost > capacity {
      if let found = dispensable(policy) {
        evict(found, policy)
      } else if let oldest = window.first, main.isEmpty || window.cost + cost > share {
        if main.cost + oldest.row.cost <= capacity - share {
          promote(oldest, policy)
        } else if let victim = victim(policy), policy.admits(candidate: oldest.row.hash, over: victim.row.hash) {
          evict(victim, policy)
          promote(oldest, policy)
        } else {
          evict(oldest, policy)
        }
      } else if let victim = victim(policy) {
        evict(victim, policy)
      } else {
        return
      }
    }
  }

  /// What the best shadow does not hold, among the oldest of the window and those ahead of the hand.
  private func dispensable(_ policy: EvictionPolicy) -> (sequence: UInt64, row: Row)? {
    guard policy.namesDispensable else { return nil }
    var next = window.first
    for _ in 0..<Self.dispensableLooks {
      guard let entry = next else { break }
      if policy.isDispensable(entry.row.hash) { return entry }
      next = window.first(from: entry.sequence + 1)
    }
    next = main.first(from: hand) ?? main.first
    for _ in 0..<Self.dispensableLooks {
      guard let entry = next else { break }
      if policy.isDispensable(entry.row.hash) { return entry }
      next = main.first(from: entry.sequence + 1) ?? main.first
    }
    return nil
  }

  /// The first entry from the hand on that was not referenced since the hand last passed it.
  private mutating func victim(_ policy: EvictionPolicy) -> (sequence: UInt64, row: Row)? {
    for chance in 0...Self.secondChances {
      var found = main.first(from: hand)
      if found == nil || found.map({ $0.sequence > lapEnd }) == true {
        found = main.first
        lapEnd = main.last ?? 0
      }
      guard let found else { return nil }
      hand = found.sequence
      guard chance < Self.secondChances, policy.takeReference(found.row.hash) else { return found }
      hand += 1
    }
    return nil
  }

  private mutating func promote(_ entry: (sequence: UInt64, row: Row), _ policy: EvictionPolicy) {
    _ = policy.takeReference(entry.row.hash)
    window.remove(at: entry.sequence)
    main.insert(entry.row, at: entry.sequence)
  }

  private mutating func evict(_ entry: (sequence: UInt64, row: Row), _ policy: EvictionPolicy) {
    window.remove(at: entry.sequence)
    main.remove(at: entry.sequence)
    entries[entry.row.hash] = nil
    policy.recordEviction(entry.row.hash)
  }
}
