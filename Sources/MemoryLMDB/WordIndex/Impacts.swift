/// The best (frequency, length) pairs among postings: no posting has both more occurrences and fewer tokens than one of
/// them. Whatever the statistics, bm25 of a posting is at most that of one of the pairs.
struct Impacts {
  struct Pair: Equatable {
    var frequency: UInt32
    var length: UInt32
  }

  /// Pairs that are kept; more are rounded up into fewer.
  static let limit = 6

  /// Ascending in both.
  private(set) var pairs: [Pair] = []

  mutating func removeAll() { pairs.removeAll(keepingCapacity: true) }

  @inline(__always)
  mutating func insert(frequency: UInt32, length: UInt32) {
    for pair in pairs where pair.frequency >= frequency && pair.length <= length { return }
    insertNew(Pair(frequency: frequency, length: length))
  }

  private mutating func insertNew(_ new: Pair) {
    pairs.removeAll { $0.frequency <= new.frequency && $0.length >= new.length }
    let place = pairs.firstIndex { $0.frequency > new.frequency } ?? pairs.count
    pairs.insert(new, at: place)
    // Twice the limit here, so that what is rounded up early does not swallow what comes later.
    if pairs.count > 2 * Self.limit { shrink(to: Self.limit) }
  }

  mutating func merge(_ other: Impacts) {
    for pair in other.pairs { insert(frequency: pair.frequency, length: pair.length) }
  }

  /// Joins the two neighbours that lose least: the higher frequency with the shorter length bounds both.
  private mutating func shrink(to limit: Int) {
    while pairs.count > limit {
      var best = 1
      var bestLoss = UInt64.max
      for index in 1..<pairs.count {
        let loss =
          UInt64(pairs[index].frequency - pairs[index - 1].frequency)
          &* UInt64(pairs[index].length - pairs[index - 1].length)
        if loss < bestLoss {
          bestLoss = loss
          best = index
        }
      }
      pairs[best - 1].frequency = pairs[best].frequency
      pairs.remove(at: best)
    }
  }

  mutating func encode(to bytes: inout [UInt8]) {
    shrink(to: Self.limit)
    bytes.append(UInt8(truncatingIfNeeded: pairs.count))
    for pair in pairs {
      bytes.appendVariable(pair.frequency)
      bytes.appendVariable(pair.length)
    }
  }
}
