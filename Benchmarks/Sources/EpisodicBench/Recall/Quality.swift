import Foundation

/// How good the answers of one mode were, as means over its queries.
struct Quality: Encodable {
  let mode: String
  private(set) var queries = 0
  /// Gain 2^relevance - 1, discounted by the logarithm of the place, against the best order there is.
  private(set) var ndcg = 0.0
  /// The share of the relevant that is among the first ten.
  private(set) var recall = 0.0
  /// One over the place of the first relevant; 0 beyond the first hundred.
  private(set) var reciprocalRank = 0.0

  init(mode: String) { self.mode = mode }

  /// Takes the answer to one more query.
  ///
  /// - Parameter answer: Best first, without what the query excludes.
  /// - Parameter relevance: Of the relevant episodes, 1 or more; not empty.
  mutating func add(_ answer: [String], relevance: [String: Int]) {
    let found = answer.prefix(10).map { relevance[$0] ?? 0 }
    let best = relevance.values.sorted(by: >).prefix(10)
    let first = answer.prefix(100).firstIndex { relevance[$0] != nil }
    queries += 1
    let weight = 1 / Double(queries)
    ndcg += (Self.gain(found) / Self.gain(best) - ndcg) * weight
    recall += (Double(found.count { $0 > 0 }) / Double(relevance.count) - recall) * weight
    reciprocalRank += ((first.map { 1 / Double($0 + 1) } ?? 0) - reciprocalRank) * weight
  }

  private static func gain(_ relevances: some Sequence<Int>) -> Double {
    relevances.enumerated().reduce(0) { $0 + (pow(2, Double($1.element)) - 1) / log2(Double($1.offset + 2)) }
  }

  enum CodingKeys: String, CodingKey {
    case mode, queries
    case ndcg = "ndcg_10"
    case recall = "recall_10"
    case reciprocalRank = "mrr_100"
  }
}
