/// What the terms of a query give to the children of one group, in memory that is used again for the next group.
struct ChildScores {
  private struct Part {
    let member: UInt64
    let score: Double
  }

  /// Of one term after the other.
  private var parts: [Part] = []
  /// The parts of each term, which may be none.
  private var ranges: [Range<Int>]
  private var sums: [GroupScore.Child] = []

  /// - Parameter terms: How many the query has.
  init(terms: Int) { ranges = Array(repeating: 0..<0, count: terms) }

  mutating func removeAll() {
    parts.removeAll(keepingCapacity: true)
    for term in ranges.indices { ranges[term] = 0..<0 }
  }

  /// - Parameter term: The one of the call before, or one that has no part yet.
  mutating func add(_ score: Double, to member: UInt64, by term: Int) {
    if ranges[term].isEmpty { ranges[term] = parts.count..<parts.count }
    parts.append(Part(member: member, score: score))
    ranges[term] = ranges[term].lowerBound..<parts.count
  }

  /// The score of each child, by its member: the sum over the query's words in their order.
  mutating func scores(inOrderOf terms: QueryTerms) -> [GroupScore.Child] {
    sums.removeAll(keepingCapacity: true)
    for term in terms.order {
      var place = 0
      for part in parts[ranges[term]] {
        // Members ascend within a segment, and begin again in the next one.
        if place > 0, sums[place - 1].member >= part.member { place = 0 }
        while place < sums.count, sums[place].member < part.member { place += 1 }
        if place < sums.count, sums[place].member == part.member {
          sums[place].score += part.score
        } else {
          sums.insert(GroupScore.Child(member: part.member, score: part.score), at: place)
        }
        place += 1
      }
    }
    return sums
  }
}
