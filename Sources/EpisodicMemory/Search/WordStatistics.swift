package import WordScoring

/// How common the words of a request are in its corpus: the episodes of its scope that are not active, and the active ones too
/// if its statuses include them. The filter changes none of it, and nothing outside the scope does (I8).
package struct WordStatistics: Hashable, Sendable {
  /// Of the contexts, one document an episode, or of the steps.
  package struct Field: Hashable, Sendable {
    package var documents: Int
    /// Of all of them.
    package var tokens: UInt64
    /// How many documents have each of `words`, then each phrase, then each prefix.
    package var having: [Int]

    package init(documents: Int = 0, tokens: UInt64 = 0, having: [Int] = []) {
      self.documents = documents
      self.tokens = tokens
      self.having = having
    }

    /// - Parameter place: In `having`.
    package func scorer(_ place: Int) -> TermScorer {
      TermScorer(documents: documents, having: having[place], tokens: tokens)
    }
  }

  /// The words that count, in the order of the query: those that a document has, at most `SearchTerms.maximumCount`.
  package var words: [String]
  /// Words of the query that no document has, each counted once.
  package var unknown: Int
  package var contexts: Field
  package var steps: Field

  package init(words: [String] = [], unknown: Int = 0, contexts: Field = Field(), steps: Field = Field()) {
    self.words = words
    self.unknown = unknown
    self.contexts = contexts
    self.steps = steps
  }

  /// Chooses the words that count: the rarest 64 of those that documents have, of equally rare ones the first.
  ///
  /// - Parameter having: Documents of both fields that have each word of the query.
  /// - Returns: Places of words, ascending.
  package static func counting(_ having: [Int]) -> [Int] {
    let known = having.indices.filter { having[$0] > 0 }
    guard known.count > SearchTerms.maximumCount else { return known }
    return known.sorted { (having[$0], $0) < (having[$1], $1) }.prefix(SearchTerms.maximumCount).sorted()
  }
}
