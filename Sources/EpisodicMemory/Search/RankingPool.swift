/// The episodes that a ranking compares, with every signal of each.
struct RankingPool: Sendable {
  /// The signals of a query.
  enum Legs: Sendable { case words, vector, both }

  struct Entry: Sendable {
    /// bm25 of the context and of the best steps.
    var words: Candidates.Words
    /// bm25 of all steps as one text.
    var together = 0.0
    /// Of its best vector, higher is better: the cosine, the dot product, or 1/(1 + the squared distance). `nil` without one.
    var similarity: Double?
    /// `nil` without a session.
    var place: SessionPlace?
    /// Whether it was created in a time that the question names.
    var isInWindow = false
    /// 0...1
    var success = 0.0
    var createdAt: Timestamp
    var trust = Trust.trusted
    /// Whether it passes the filter.
    var passes = true
    /// Whether it has the phrases and prefixes that the query requires.
    var hasRequired = true

    var row: Int64 { words.row }
    /// If not, it is no hit and gives other episodes nothing.
    var isEligible: Bool { passes && hasRequired }
  }

  /// A ranked entry.
  struct Ranked: Sendable {
    /// In `entries`.
    let place: Int
    var shares: Hit.Shares
    /// The sum of the shares, not cut to 1.
    var total: Double

    /// 0...1. The rounding errors of the sum do not keep a full match from 1.
    var score: Double { total > 1 - 1e-9 ? 1 : total }
  }

  let legs: Legs
  /// What a full match of the words scores by bm25; 0 without words. See `WordStatistics.information`.
  let information: Double
  var entries: [Entry]

  /// The eligible entries that score more than 0 or have a vector, best first; of equal scores the more similar, then the
  /// newest, then the last recorded. Does not depend on the order of the entries.
  ///
  /// - Complexity: O(*n* log *n*).
  func ranked(by ranking: Query.Ranking) -> [Ranked] {
    var shares = matchShares(ranking)
    let scores = shares.map(\.total)
    let best = scores.max() ?? 0
    if ranking.neighborWeight > 0 {
      addNeighbors(of: scores, weight: ranking.neighborWeight, reach: ranking.neighborReach, to: &shares)
    }
    if ranking.sessionWeight > 0 { addSessions(of: scores, weight: ranking.sessionWeight, to: &shares) }
    for place in entries.indices {
      // Without a match anywhere, a time that the question names is all that there is to score.
      if entries[place].isInWindow { shares[place].time = ranking.timeWeight * (best > 0 ? best : 1) }
      if scores[place] > 0 { shares[place].success = ranking.successWeight * best * entries[place].success }
    }
    var ranked: [Ranked] = []
    ranked.reserveCapacity(entries.count)
    for (place, entry) in entries.enumerated() where entry.isEligible {
      let total = shares[place].total
      guard total > 0 || legs != .words && entry.similarity != nil else { continue }
      ranked.append(Ranked(place: place, shares: shares[place], total: total))
    }
    return ranked.sorted { precedes($0, $1) }
  }

  /// The rows of the eligible entries whose words and vector match best, best first.
  func bestMatches(_ count: Int, by ranking: Query.Ranking) -> [Int64] {
    let scores = matchShares(ranking).map(\.total)
    let places = entries.indices.filter { scores[$0] > 0 }
    let best = places.sorted { (scores[$1], entries[$1].row) < (scores[$0], entries[$0].row) }
    return best.prefix(count).map { entries[$0].row }
  }

  private func precedes(_ left: Ranked, _ right: Ranked) -> Bool {
    if left.total != right.total { return left.total > right.total }
    let (left, right) = (entries[left.place], entries[right.place])
    let similarities = (left.similarity ?? 0, right.similarity ?? 0)
    if similarities.0 != similarities.1 { return similarities.0 > similarities.1 }
    if left.createdAt != right.createdAt { return left.createdAt > right.createdAt }
    return left.row > right.row
  }

  /// What words and vector of an entry itself score.
  private func matchShares(_ ranking: Query.Ranking) -> [Hit.Shares] {
    let scale = Scale(self, vectorWeight: ranking.vectorWeight)
    return entries.map { entry in
      guard entry.isEligible else { return Hit.Shares() }
      let words = entry.similarity == nil ? scale.wordsAlone : scale.words
      let steps =
        entry.words.stepScore(weight: ranking.stepWeight, atMost: ranking.stepsPerEpisode)
        + ranking.stepsTogetherWeight * entry.together
      return Hit.Shares(
        context: words * entry.words.context, steps: words * steps, vector: scale.vector * max(0, entry.similarity ?? 0)
      )
    }
  }

  /// - Parameter reach: Episodes on each side that count, each half of the one nearer.
  private func addNeighbors(of scores: [Double], weight: Double, reach: Int, to shares: inout [Hit.Shares]) {
    var places: [Int64: Int] = [:]
    for (place, entry) in entries.enumerated() where entry.place != nil { places[entry.row] = place }
    for (place, entry) in entries.enumerated() where entry.isEligible && entry.place != nil {
      for direction in [\SessionPlace.previous, \SessionPlace.next] {
        var (weight, neighbor) = (weight, entry.place)
        for _ in 0..<reach {
          guard let row = neighbor?[keyPath: direction], let next = places[row] else { break }
          shares[place].session += weight * scores[next]
          weight /= 2
          neighbor = entries[next].place
        }
      }
    }
  }

  private func addSessions(of scores: [Double], weight: Double, to shares: inout [Hit.Shares]) {
    var best: [UInt32: Double] = [:]
    for (place, entry) in entries.enumerated() where scores[place] > 0 {
      guard let session = entry.place?.session else { continue }
      best[session] = max(best[session] ?? 0, scores[place])
    }
    for (place, entry) in entries.enumerated() where entry.isEligible {
      guard let session = entry.place?.session, let best = best[session] else { continue }
      shares[place].session += weight * best
    }
  }
}

/// What bm25 and similarity are multiplied by.
private struct Scale {
  /// Of an episode with a vector.
  let words: Double
  /// Of an episode without one.
  let wordsAlone: Double
  let vector: Double

  /// The most that a word adds to a bm25, by its idf: k1 + 1. A hybrid score weighs words by it, so that the words of an
  /// episode that is full of them are worth as much as a similarity of 1.
  private static let saturation = 2.2

  init(_ pool: RankingPool, vectorWeight: Double) {
    let bestSimilarity = pool.entries.lazy.compactMap { $0.isEligible ? $0.similarity : nil }.max()
    // The dot product has no greatest value.
    let mostSimilar = max(1, bestSimilarity ?? 0)
    let word = pool.information > 0 ? 1 / pool.information : 0
    if pool.legs == .vector {
      (words, wordsAlone, vector) = (0, 0, 1 / mostSimilar)
    } else if pool.legs == .words || bestSimilarity == nil {
      (words, wordsAlone, vector) = (word, word, 0)
    } else {
      // A full match of the words with a similarity of 1 scores 1.
      let whole = (1 - vectorWeight) / Self.saturation + vectorWeight
      words = (1 - vectorWeight) / Self.saturation / whole * word
      wordsAlone = 1 / Self.saturation / whole * word
      vector = vectorWeight / whole / mostSimilar
    }
  }
}
