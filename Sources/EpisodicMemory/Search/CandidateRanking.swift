extension Query.Ranking {
  /// The signals of a query. A single one gives its scores as they are: bm25, or the metric's similarity.
  enum Legs { case words, vector, both }

  /// An episode of the word leg with its shares, not yet normalised.
  private typealias WordMatch = (words: Candidates.Words, shares: Hit.Shares)

  /// The best `limit` episodes, best first; of equal scores the last recorded, which is the newest attempt.
  ///
  /// - Complexity: O(*n* log *n*), *n* the candidates of both legs.
  func rank(_ candidates: Candidates, limit: Int, legs: Legs) -> [RankedEpisode] {
    let matches = candidates.words.map { words in (words: words, shares: wordShares(of: words)) }
    switch legs {
    case .words:
      return best(limit, of: matches.map { ranked($0.words, $0.shares) })
    case .vector:
      return candidates.nearest.prefix(limit).map { row in
        ranked(Candidates.Words(row: row), Hit.Shares(vector: candidates.similarities[row] ?? 0))
      }
    case .both:
      return best(limit, of: fused(matches, candidates, limit: limit))
    }
  }

  /// The leading candidates of both legs with their shares of the combined score, in no order.
  private func fused(_ matches: [WordMatch], _ candidates: Candidates, limit: Int) -> [RankedEpisode] {
    let depth = max(depth, limit)
    let leading = matches.sorted { ($1.shares.total, $1.words.row) < ($0.shares.total, $0.words.row) }.prefix(depth)
    var pool: [Int64: WordMatch] = [:]
    for match in leading { pool[match.words.row] = match }
    let nearest = Set(candidates.nearest.prefix(depth))
    for match in matches where nearest.contains(match.words.row) { pool[match.words.row] = match }
    for row in nearest where pool[row] == nil { pool[row] = (Candidates.Words(row: row), Hit.Shares()) }

    var similarities: [Int64: Double] = [:]
    for row in pool.keys { similarities[row] = candidates.similarities[row].map { max(0, $0) } }
    let bestWords = pool.values.map(\.shares.total).max() ?? 0
    let bestSimilarity = similarities.values.max() ?? 0
    return pool.values.map { match in
      var shares = match.shares
      let similarity = similarities[match.words.row]
      let wordScale = bestWords > 0 ? (similarity == nil ? 1 : 1 - vectorWeight) / bestWords : 0
      shares.context *= wordScale
      shares.steps *= wordScale
      shares.vector = bestSimilarity > 0 ? vectorWeight * (similarity ?? 0) / bestSimilarity : 0
      return ranked(match.words, shares)
    }
  }

  private func wordShares(of words: Candidates.Words) -> Hit.Shares {
    var steps = 0.0
    var weight = searchedStepWeight
    for step in words.steps.prefix(stepsPerEpisode) {
      steps += weight * step.score
      weight /= 2
    }
    return Hit.Shares(context: words.context, steps: steps)
  }

  private func ranked(_ words: Candidates.Words, _ shares: Hit.Shares) -> RankedEpisode {
    RankedEpisode(
      row: words.row, shares: shares, contextMatches: words.context > 0,
      steps: words.steps.prefix(stepsPerEpisode).map(\.row))
  }

  private func best(_ limit: Int, of episodes: [RankedEpisode]) -> [RankedEpisode] {
    Array(episodes.sorted { ($1.shares.total, $1.row) < ($0.shares.total, $0.row) }.prefix(limit))
  }
}
