package import LMDB

/// What all children of a group have of a query, as if they were one document.
package struct ChildTotals: Hashable, Sendable {
  package let group: UInt64
  /// Of each word, then each phrase, then each prefix; in the order of `PreparedQuery.Field.having`.
  package fileprivate(set) var occurrences: [UInt32]
  /// Of all children, those that match in nothing too.
  package fileprivate(set) var tokens: UInt64 = 0
}

extension InvertedIndex {
  /// Counts the words of a query in all children of each of some groups of its corpus.
  ///
  /// - Returns: Of those that have a word, a phrase or a prefix of the query in a child, ascending by group.
  /// - Complexity: A posting a child that matches, and the length of every child of these groups.
  package func childTotals(
    of groups: [UInt64], _ query: PreparedQuery, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [ChildTotals] {
    let snapshot = snapshot(transaction)
    let corpus = query.corpora[1]
    let required = query.required.map { $0[1].matches } ?? []
    let words = query.terms.order.count
    var totals = Set(groups).sorted().map { group in
      ChildTotals(group: group, occurrences: [UInt32](repeating: 0, count: words + required.count))
    }
    let memory = CursorMemory(1)
    for (term, postings) in query.postings[1].enumerated() where postings.having > 0 {
      let places = (0..<words).filter { query.terms.order[$0] == term }
      for (slice, list) in postings.lists {
        var cursor = PostingCursor(list, in: corpus.slices[slice], buffer: memory.buffer(0))
        for index in totals.indices {
          let count = try cursor.occurrences(ofGroup: totals[index].group, snapshot)
          for place in places { totals[index].occurrences[place] &+= count }
        }
      }
    }
    for (place, matches) in required.enumerated() {
      for (slice, matches) in zip(corpus.slices, matches) {
        for match in matches {
          let group = try slice.reader.group(match.ordinal, snapshot)
          guard let index = totals.firstIndex(ofGroup: group) else { continue }
          totals[index].occurrences[words + place] &+= match.frequency
        }
      }
    }
    totals.removeAll { $0.occurrences.allSatisfy { $0 == 0 } }
    for slice in corpus.slices {
      for index in totals.indices {
        totals[index].tokens &+= try slice.tokens(ofGroup: totals[index].group, snapshot)
      }
    }
    withExtendedLifetime((memory, query)) {}
    return totals
  }
}

extension PostingCursor {
  /// Moves past a group.
  ///
  /// - Returns: The frequencies of its live documents together.
  fileprivate mutating func occurrences(ofGroup wanted: UInt64, _ snapshot: Snapshot) throws(LMDBError) -> UInt32 {
    try advance(toGroup: wanted, snapshot)
    var count: UInt32 = 0
    while group == wanted {
      if try !field.isDead(ordinal, snapshot) { count &+= frequency }
      try next(snapshot)
    }
    return count
  }
}

extension FieldSlice {
  /// Tokens of a group's live documents.
  fileprivate func tokens(ofGroup group: UInt64, _ snapshot: Snapshot) throws(LMDBError) -> UInt64 {
    guard group >= firstGroup, group <= reader.facts.lastGroup else { return 0 }
    var tokens: UInt64 = 0
    var ordinal = UInt32(truncatingIfNeeded: try reader.firstOrdinal(group: group, member: 0, snapshot))
    while ordinal < ordinals.upperBound {
      let (chunk, place) = (try reader.chunk(ordinal, snapshot), FieldReader.place(ordinal))
      guard chunk.group(place) == group else { break }
      if !chunk.isDead(place) { tokens &+= UInt64(chunk.length(place)) }
      ordinal += 1
    }
    return tokens
  }
}

extension [ChildTotals] {
  fileprivate func firstIndex(ofGroup group: UInt64) -> Int? {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle].group < group { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low].group == group ? low : nil
  }
}
