/// How much the cache may hold: bytes of the data file, and entries where that is wanted.
///
/// The policy divides the room between window and main area in one of the two: entries where they are limited.
struct CacheLimit: Sendable {
  let bytes: Int
  let entries: Int?

  /// What a typical entry takes: an episode of twenty steps.
  private static let typicalEntry = 4096

  /// How many entries can be expected.
  var expectedEntries: Int { min(entries ?? .max, bytes / Self.typicalEntry) }

  var capacity: Int { entries ?? bytes }

  func size(cost: Int) -> Int { entries == nil ? cost : 1 }
  func size(of row: OrderRow) -> Int { size(cost: Int(row.cost)) }
  func windowSize(_ tallies: Tallies) -> Int { entries == nil ? tallies.windowBytes : tallies.windowEntries }
  func mainSize(_ tallies: Tallies) -> Int {
    (entries == nil ? tallies.bytes : tallies.entries) &- windowSize(tallies)
  }

  /// Whether an entry of that cost has room beside the others.
  func hasRoom(for cost: Int, beside tallies: Tallies) -> Bool {
    tallies.bytes <= bytes - cost && tallies.entries < entries ?? .max
  }
}
