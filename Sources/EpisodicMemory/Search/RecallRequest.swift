/// A checked query, as the primary and the index receive it.
package struct RecallRequest: Sendable {
  /// `nil`: no word leg.
  package internal(set) var terms: SearchTerms?
  /// `nil`: no vector leg.
  package let vector: [Float]?
  /// The space that the query names; see `EmbeddingSpace.resolve`.
  package let space: EmbeddingSpace?
  package let scope: Query.Scope
  /// The times that the text names.
  package let times: QuestionTimes
  /// Its statuses and its trust are never `nil`.
  package internal(set) var filter: Episode.Filter
  /// Hits of one source at most; see `Query.maximumPerSource`.
  let perSource: Int?
  /// Candidates of each leg.
  package internal(set) var depth: Int
  /// Step scores kept of each episode.
  package let stepsPerEpisode: Int
  /// Weight of the best step's bm25 against the context's; each further step counts half of the one before.
  package let stepWeight: Double
  /// Whether the words of all steps of an episode are counted together.
  package let countsStepsTogether: Bool
  /// Whether hits quote the texts that matched.
  package let excerpts: Bool
  /// Which steps of the hits to load.
  package let steps: StepSelection

  /// Whether active episodes are in the corpus; see `WordStatistics`.
  package var corpusIncludesActive: Bool { filter.statuses?.contains(.active) ?? true }

  init(_ query: Query, terms: SearchTerms?, times: QuestionTimes = QuestionTimes()) {
    let ranking = query.ranking
    var filter = query.filter
    filter.statuses = query.statuses
    filter.trust = query.trust
    perSource = query.maximumPerSource
    self.terms = terms
    self.times = times
    self.filter = filter
    vector = query.vector
    space = query.space
    scope = query.scope
    let isHybrid = query.vector != nil && terms != nil
    depth = max(isHybrid || ranking.reordersCandidates ? ranking.depth : 0, query.limit)
    stepsPerEpisode = ranking.stepsPerEpisode
    stepWeight = ranking.searchedStepWeight
    countsStepsTogether = ranking.stepsTogetherWeight > 0
    excerpts = query.excerpts
    steps = query.steps
  }
}

package enum Candidates {
  /// An episode of which a word matches.
  package struct Words: Sendable {
    /// Stable row of the episode.
    package let row: Int64
    /// bm25 of the context, higher is better; 0 if it does not match.
    package var context: Double
    /// Rows of its best steps and their bm25, best first.
    package var steps: [(row: Int64, score: Double)]
    /// Occurrences in all of its steps of each term, in the order of `WordStatistics.Field.having`; empty if none was counted.
    package var stepOccurrences: [UInt32] = []
    /// Tokens of all of its steps; 0 if `stepOccurrences` is empty.
    package var stepTokens: UInt64 = 0

    package init(row: Int64, context: Double = 0, steps: [(row: Int64, score: Double)] = []) {
      self.row = row
      self.context = context
      self.steps = steps
    }

    /// bm25 of the context and the weighted bm25 of the steps; see `RecallRequest.stepWeight`.
    package func score(stepWeight: Double) -> Double {
      context + stepScore(weight: stepWeight, atMost: steps.count)
    }

    /// The bm25 of the best steps, the first multiplied by `weight`, each further one by half of the factor before.
    func stepScore(weight: Double, atMost count: Int) -> Double {
      var (sum, weight) = (0.0, weight)
      for step in steps.prefix(count) {
        sum += weight * step.score
        weight /= 2
      }
      return sum
    }
  }
}

/// An episode of a ranked result, before it is loaded.
package struct RankedEpisode: Sendable {
  package let row: Int64
  /// As `Hit.score`.
  package let score: Double
  package let shares: Hit.Shares
  /// Whether words of the context matched.
  package let contextMatches: Bool
  /// Rows of the best matching steps, best first.
  package let steps: [Int64]
  /// Near-duplicates of it that were left out.
  package var copies = 0
}
