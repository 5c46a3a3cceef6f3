import CachePolicy
import EpisodicMemory
import LMDB

extension CacheTables {
  /// Steps that one call takes at most, evictions and promotions, beside what a large entry needs. More would only be
  /// needed where the capacity was lowered, and then the next call goes on.
  private static let maximumSteps = 256
  /// No entry takes less.
  private static let leastCost = 256
  /// Entries of each area that are looked at for one that the followed shadow does not hold.
  private static let dispensableLooks = 16
  /// Entries that the hand passes over at most, because they were referenced, before one leaves all the same.
  private static let secondChances = 128

  /// A row and where it lies.
  private struct Place {
    let row: OrderRow
    let sequence: UInt64
    let area: Database
  }

  /// Removes entries until there is room for one more; see the decision on eviction.
  ///
  /// - Parameter cost: Of the entry to come, as `PageCost` counts it.
  /// - Returns: Whether there is room.
  func makeRoom(
    for cost: Int, within limit: CacheLimit, tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) -> Bool {
    let share = max(Int(policy.windowShare * Double(limit.capacity)), limit.size(cost: cost))
    for _ in 0..<Self.maximumSteps + cost / Self.leastCost {
      if limit.hasRoom(for: cost, beside: tallies) { return true }
      if let place = try dispensable(tallies, in: transaction) {
        try evict(place, tallies: &tallies, in: &transaction)
        continue
      }
      let isWindowFull = limit.mainSize(tallies) == 0 || limit.windowSize(tallies) + limit.size(cost: cost) > share
      if isWindowFull, let oldest = try first(of: window, in: transaction) {
        if limit.mainSize(tallies) + limit.size(of: oldest.row) <= limit.capacity - share {
          try promote(oldest, tallies: &tallies, in: &transaction)
        } else if let victim = try victim(&tallies, in: transaction),
          policy.admits(candidate: oldest.row.keyHash, over: victim.row.keyHash)
        {
          try evict(victim, tallies: &tallies, in: &transaction)
          try promote(oldest, tallies: &tallies, in: &transaction)
        } else {
          try evict(oldest, tallies: &tallies, in: &transaction)
        }
      } else if let victim = try victim(&tallies, in: transaction) {
        try evict(victim, tallies: &tallies, in: &transaction)
      } else {
        throw Self.contradiction
      }
    }
    return limit.hasRoom(for: cost, beside: tallies)
  }

  private func evict(
    _ place: Place, tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try remove(place.row, at: place.sequence, from: place.area, tallies: &tallies, in: &transaction)
    policy.recordEviction(place.row.keyHash)
    tallies[place.row.kind].evicted &+= 1
  }

  private func promote(
    _ place: Place, tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    _ = policy.takeReference(place.row.keyHash)
    try promote(place.row, at: place.sequence, tallies: &tallies, in: &transaction)
  }

  /// What the followed shadow does not hold, among the oldest of the window and those ahead of the hand.
  private func dispensable(
    _ tallies: Tallies, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Place? {
    guard policy.namesDispensable else { return nil }
    for (area, start) in [(window, 0), (main, tallies.hand)] {
      var next = try first(of: area, from: start, in: transaction)
      var hasWrapped = false
      for _ in 0..<Self.dispensableLooks {
        if next == nil, !hasWrapped, start > 0 {
          hasWrapped = true
          next = try first(of: area, in: transaction)
        }
        guard let place = next else { break }
        if policy.isDispensable(place.row.keyHash) { return place }
        next = try first(of: area, from: place.sequence &+ 1, in: transaction)
      }
    }
    return nil
  }

  /// The first entry from the hand on that was not referenced since the hand last passed it.
  private func victim(
    _ tallies: inout Tallies, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Place? {
    for chance in 0...Self.secondChances {
      var found = try first(of: main, from: tallies.hand, in: transaction)
      if found.map({ $0.sequence > tallies.lapEnd }) ?? true {
        found = try first(of: main, in: transaction)
        tallies.lapEnd = try lastSequence(of: main, in: transaction)
      }
      guard let found else { return nil }
      tallies.hand = found.sequence
      guard chance < Self.secondChances, policy.takeReference(found.row.keyHash) else { return found }
      tallies.hand &+= 1
    }
    return nil
  }

  /// The first row of an area at a number or behind it.
  private func first(
    of area: Database, from sequence: UInt64 = 0, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Place? {
    var cursor = try transaction.cursor(in: area)
    guard let entry = try cursor.seek(atOrAfter: sequence) else { return nil }
    guard let found = entry.integerKey else { throw Self.contradiction }
    return Place(row: try OrderRow(entry.value), sequence: found, area: area)
  }

  private func lastSequence(
    of area: Database, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> UInt64 {
    var cursor = try transaction.cursor(in: area)
    return try cursor.last()?.integerKey ?? 0
  }
}
