import Heaps

/// What to search for, as tokens.
///
/// Without phrases and prefixes a document matches if it has any of the words. With them it must have all of them, and the
/// words only add to its score. A document's score is the sum of bm25 over the words, the phrases and the prefixes, in this
/// order.
package struct WordQuery: Sendable {
  /// A word listed twice counts twice.
  package var words: [[UInt8]] = []
  /// Tokens at consecutive positions. Empty phrases are ignored.
  package var phrases: [[[UInt8]]] = []
  /// All tokens with a prefix count as one. At most `InvertedIndex.longestPrefix` bytes each; empty ones are ignored.
  package var prefixes: [[UInt8]] = []
  /// What is ranked, and what statistics count: disjoint.
  package var corpus = WordCorpus.all
  /// Weight of a group's best child against its parent; each further child weighs half of the one before. 0 or more.
  package var childWeight = 0.25
  /// Children that count, at most.
  package var childrenPerGroup = 4

  package init() {}

  /// Whether a document must contain something to match.
  var requires: Bool { prefixes.contains { !$0.isEmpty } || phrases.contains { !$0.isEmpty } }
}

/// A group that matches, and its scores. Of equal scores the lower number within its partition ranks first.
package struct GroupScore: Ranked, Hashable, Sendable {
  package struct Child: Hashable, Sendable {
    package var member: UInt64
    /// bm25 among the children, unweighted.
    package var score: Double

    fileprivate func precedes(_ other: Child) -> Bool {
      score != other.score ? score > other.score : member < other.member
    }
  }

  package let group: UInt64
  /// bm25 among the parents; 0 if the parent does not match.
  package let parent: Double
  /// The best matching children, best first, equal ones by member.
  package let children: [Child]
  /// The parent's score and the children's weighted ones.
  package let score: Double

  /// - Parameter children: All that match, in any order.
  init(group: UInt64, parent: Double, children: [Child], _ query: WordQuery) {
    self.group = group
    self.parent = parent
    self.children = Self.best(query.childrenPerGroup, of: children)
    var (sum, weight) = (0.0, query.childWeight)
    for child in self.children {
      sum += weight * child.score
      weight /= 2
    }
    score = parent + sum
  }

  /// Sorts no more than it keeps, as this is asked of every group that a search visits.
  private static func best(_ count: Int, of children: [Child]) -> [Child] {
    var best: [Child] = []
    for child in children {
      let place = best.firstIndex { child.precedes($0) } ?? best.count
      guard place < count else { continue }
      if best.count == count { best.removeLast() }
      best.insert(child, at: place)
    }
    return best
  }

  package func precedes(_ other: GroupScore) -> Bool {
    if score != other.score { return score > other.score }
    let (own, others) = (WordCorpus.rank(group), WordCorpus.rank(other.group))
    return own != others ? own < others : group < other.group
  }
}

/// The distinct terms of a query's words, and the term of each word.
struct QueryTerms {
  private(set) var terms: [[UInt8]] = []
  /// The number of each word's term, in the order of the words.
  private(set) var order: [Int] = []

  init(_ words: [[UInt8]]) {
    var numbers: [[UInt8]: Int] = [:]
    for word in words {
      let term = word.withUnsafeBytes { Key.term($0) }
      let number = numbers[term] ?? terms.count
      if number == terms.count {
        numbers[term] = number
        terms.append(term)
      }
      order.append(number)
    }
  }

  func multiplicity(_ number: Int) -> Int { order.count { $0 == number } }
}
