import CachePolicy
import EpisodicMemory
import LMDB

/// How much the cache may hold: bytes of the data file, and entries if those are limited too.
///
/// The policy divides the capacity between window and main area in one of the two units: entries if they are limited.
struct CacheLimit: Sendable {
  let bytes: Int
  let entries: Int?

  /// Bytes of an episode of twenty steps.
  private static let typicalEntry = 4096

  var expectedEntries: Int { min(entries ?? .max, bytes / Self.typicalEntry) }

  var capacity: Int { entries ?? bytes }

  func size(cost: Int) -> Int { entries == nil ? cost : 1 }
  func windowSize(_ counters: PersistedCounters) -> Int {
    entries == nil ? counters.windowBytes : counters.windowEntries
  }
  func mainSize(_ counters: PersistedCounters) -> Int {
    (entries == nil ? counters.bytes : counters.entries) &- windowSize(counters)
  }

  func hasRoom(for cost: Int, beside counters: PersistedCounters) -> Bool {
    counters.bytes <= bytes - cost && counters.entries < entries ?? .max
  }
}

/// What an entry takes of the data file, so that the capacity bounds pages and not only values.
///
/// LMDB keeps a value inside a leaf page if two of its size fit, and gives it whole pages of its own otherwise.
struct PageCost: Sendable {
  private let page: Int

  /// Header of a page; header of a node, its key of eight bytes, and its place in the page's table.
  private static let pageHeader = 16
  private static let node = 8 + 8 + 2
  /// The entry's rows in the other databases.
  private static let rows = 48

  init(pageSize: Int) {
    page = max(pageSize, 512)
  }

  func callAsFunction(valueBytes: Int) -> Int {
    let usable = page - Self.pageHeader
    let inLeaf = valueBytes + Self.node
    guard inLeaf <= usable / 2 else {
      return (Self.pageHeader + valueBytes + page - 1) / page * page + Self.node + Self.rows
    }
    // Keys are hashes: pages split and empty in random places, and LMDB merges those that are less than a quarter full.
    // Measured after many generations of entries, they are 45 to 50 % full.
    return min(page * 9 / (usable / inLeaf * 4), page) + Self.rows
  }
}

extension CacheTables {
  /// Evictions and promotions of one call, beside what a large entry needs. More are needed only after the capacity was
  /// lowered, and then the next call continues.
  private static let maximumSteps = 256
  /// The lowest cost of an entry.
  private static let leastCost = 256
  /// Entries of each area that are examined for one that the followed shadow cache does not hold.
  private static let dispensableLooks = 16
  /// Referenced entries that the hand passes before it evicts one regardless.
  private static let secondChances = 128

  private struct Place {
    let row: OrderRow
    let sequence: UInt64
    let area: Database
  }

  /// Removes entries until there is room for one more; see the decision on eviction.
  ///
  /// - Parameter cost: Of the new entry, as `PageCost` counts it.
  /// - Returns: Whether there is room.
  func makeRoom(
    for cost: Int, within limit: CacheLimit, counters: inout PersistedCounters,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) -> Bool {
    let share = max(Int(policy.windowShare * Double(limit.capacity)), limit.size(cost: cost))
    for _ in 0..<Self.maximumSteps + cost / Self.leastCost {
      if limit.hasRoom(for: cost, beside: counters) { return true }
      if let place = try dispensable(counters, in: transaction) {
        try evict(place, counters: &counters, in: &transaction)
        continue
      }
      let isWindowFull =
        limit.mainSize(counters) == 0 || limit.windowSize(counters) + limit.size(cost: cost) > share
      if isWindowFull, let oldest = try first(of: window, in: transaction) {
        if limit.mainSize(counters) + limit.size(cost: Int(oldest.row.cost)) <= limit.capacity - share {
          try promote(oldest, counters: &counters, in: &transaction)
        } else if let victim = try victim(&counters, in: transaction),
          policy.admits(candidate: oldest.row.hash, over: victim.row.hash)
        {
          try evict(victim, counters: &counters, in: &transaction)
          try promote(oldest, counters: &counters, in: &transaction)
        } else {
          try evict(oldest, counters: &counters, in: &transaction)
        }
      } else if let victim = try victim(&counters, in: transaction) {
        try evict(victim, counters: &counters, in: &transaction)
      } else {
        throw Self.contradiction
      }
    }
    return limit.hasRoom(for: cost, beside: counters)
  }

  private func evict(
    _ place: Place, counters: inout PersistedCounters, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try remove(place.row, at: place.sequence, from: place.area, counters: &counters, in: &transaction)
    policy.recordEviction(place.row.hash)
    counters[place.row.kind].evicted &+= 1
  }

  private func promote(
    _ place: Place, counters: inout PersistedCounters, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    _ = policy.takeReference(place.row.hash)
    try promote(place.row, at: place.sequence, counters: &counters, in: &transaction)
  }

  /// An entry that the followed shadow cache does not hold, among the oldest of the window and those ahead of the hand.
  private func dispensable(
    _ counters: PersistedCounters, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Place? {
    guard policy.namesDispensable else { return nil }
    for (area, start) in [(window, 0), (main, counters.hand)] {
      var next = try first(of: area, from: start, in: transaction)
      var hasWrapped = false
      for _ in 0..<Self.dispensableLooks {
        if next == nil, !hasWrapped, start > 0 {
          hasWrapped = true
          next = try first(of: area, in: transaction)
        }
        guard let place = next else { break }
        if policy.isDispensable(place.row.hash) { return place }
        next = try first(of: area, from: place.sequence &+ 1, in: transaction)
      }
    }
    return nil
  }

  /// The first entry from the hand on that was not referenced since the hand last passed it.
  private func victim(
    _ counters: inout PersistedCounters, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Place? {
    for chance in 0...Self.secondChances {
      var found = try first(of: main, from: counters.hand, in: transaction)
      if found.map({ $0.sequence > counters.lapEnd }) ?? true {
        found = try first(of: main, in: transaction)
        var cursor = try transaction.cursor(in: main)
        counters.lapEnd = try cursor.last()?.integerKey ?? 0
      }
      guard let found else { return nil }
      counters.hand = found.sequence
      guard chance < Self.secondChances, policy.takeReference(found.row.hash) else { return found }
      counters.hand &+= 1
    }
    return nil
  }

  /// The first row of an area with this sequence or a later one.
  private func first(
    of area: Database, from sequence: UInt64 = 0, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Place? {
    var cursor = try transaction.cursor(in: area)
    guard let entry = try cursor.seek(atOrAfter: sequence) else { return nil }
    guard let found = entry.integerKey else { throw Self.contradiction }
    return Place(row: try OrderRow(entry.value), sequence: found, area: area)
  }
}
