import Foundation
import WordScoring

extension WordStatistics {
  /// The information of a question: the sum of the idf of its words, which is the bm25 of a context of average length in which
  /// each of them stands once. Phrases and prefixes count as words.
  ///
  /// A word that only steps have counts as much as it can score there; a word that nothing has counts as the rarest
  /// of contexts, so that a question of which half is unknown is answered by half.
  ///
  /// A word of labels is the same information as that word of a text, and counts for itself only if no text has it.
  ///
  /// - Parameter stepWeight: What the bm25 of steps is multiplied by.
  func information(stepWeight: Double) -> Double {
    let idfs = contexts.having.indices.map { information(ofTerm: $0, stepWeight: stepWeight) }
    let readable = words.map(SearchTerms.readable)
    let texts = Set(readable.lazy.filter { !$0.isLabel }.map(\.word))
    var labels: [String: Double] = [:]
    for (term, word) in readable.enumerated() where word.isLabel { labels[word.word] = idfs[term] }
    var sum = 0.0
    for (term, idf) in idfs.enumerated() {
      guard term < readable.count else {
        sum += idf
        continue
      }
      let (word, isLabel) = readable[term]
      if !isLabel { sum += max(idf, labels[word] ?? 0) } else if !texts.contains(word) { sum += idf }
    }
    return sum + Double(unknown) * unknownWord
  }

  /// Of a word, a phrase or a prefix, by its place in `Field.having`.
  func information(ofTerm term: Int, stepWeight: Double) -> Double {
    let inContexts = contexts.having[term] > 0 ? contexts.scorer(term).idf : 0
    let inSteps = steps.having[term] > 0 ? stepWeight * steps.scorer(term).idf : 0
    // Only a phrase or a prefix can be in neither.
    return max(inContexts, inSteps) > 0 ? max(inContexts, inSteps) : unknownWord
  }

  /// The idf of a word that no document has.
  var unknownWord: Double { TermScorer.idf(documents: Double(contexts.documents), having: 0) }
}

/// bm25 of all steps of an episode as one text.
///
/// How many episodes have a word in a step is estimated from how many steps have it, as if these were spread evenly: an
/// index of its own for the exact count would rank no better.
struct StepsTogetherScorer: Sendable {
  private var idfs: [Double] = []
  private var averageLength = 1.0

  init(_ statistics: WordStatistics) {
    let (episodes, steps) = (Double(statistics.contexts.documents), Double(statistics.steps.documents))
    guard episodes > 0, steps > 0 else { return }
    idfs = statistics.steps.having.map { having in
      let share = min(1, Double(having) / steps)
      let estimate = episodes * (1 - pow(1 - share, steps / episodes))
      return TermScorer.idf(documents: episodes, having: min(estimate, Double(having)))
    }
    averageLength = statistics.steps.tokens == 0 ? 1 : Double(statistics.steps.tokens) / episodes
  }

  /// - Parameters:
  ///   - frequencies: Occurrences of each word in all steps, in the order of `WordStatistics.Field.having`.
  ///   - tokens: Of all steps.
  func score(_ frequencies: [UInt32], tokens: UInt64) -> Double {
    let length = TermScorer.k1 * (1 - TermScorer.b + TermScorer.b * Double(tokens) / averageLength)
    var sum = 0.0
    for (idf, frequency) in zip(idfs, frequencies) where frequency > 0 {
      let frequency = Double(frequency)
      sum += idf * (frequency * (TermScorer.k1 + 1) / (frequency + length))
    }
    return sum
  }
}
