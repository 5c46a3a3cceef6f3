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
  private var merged: [GroupScore.Child] = []

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
      var rest = ranges[term]
      while let first = rest.first {
        // Members ascend within a segment, and begin again in the next one.
        var end = first + 1
        while end < rest.upperBound, parts[end - 1].member < parts[end].member { end += 1 }
        merge(first..<end)
        rest = end..<rest.upperBound
      }
    }
    return sums
  }

  /// Adds parts whose members ascend.
  private mutating func merge(_ run: Range<Int>) {
    merged.removeAll(keepingCapacity: true)
    var place = 0
    for part in parts[run] {
      while place < sums.count, sums[place].member < part.member {
        merged.append(sums[place])
        place += 1
      }
      var score = part.score
      if place < sums.count, sums[place].member == part.member {
        score += sums[place].score
        place += 1
      }
      merged.append(GroupScore.Child(member: part.member, score: score))
    }
    merged += sums[place...]
    swap(&sums, &merged)
  }
}
