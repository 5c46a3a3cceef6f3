import Foundation

/// Retrieval metrics of one mode, as means over its queries.
struct Quality: Encodable {
  let mode: String
  private(set) var queries = 0
  /// Normalised discounted cumulative gain: 2^relevance - 1, discounted by the logarithm of the rank.
  private(set) var ndcg = 0.0
  /// The share of the relevant episodes among the first ten.
  private(set) var recall = 0.0
  /// One over the rank of the first relevant episode; 0 beyond 100.
  private(set) var reciprocalRank = 0.0

  init(mode: String) { self.mode = mode }

  /// Adds the results of one query.
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

  static let titles = ["retrieval", "queries", "nDCG@10", "R@10", "MRR@100"]
  var cells: [String] {
    [mode, queries.grouped] + [ndcg, recall, reciprocalRank].map { String(format: "%.4f", $0) }
  }

  enum CodingKeys: String, CodingKey {
    case mode, queries
    case ndcg = "ndcg_10"
    case recall = "recall_10"
    case reciprocalRank = "mrr_100"
  }
}

/// The relevant episodes of each query, from `qrels.jsonl`, and those that `queries.jsonl` excludes.
struct Judgements {
  private struct QueryLine: Decodable {
    let id: String
    let excludeIDs: [String]?
    enum CodingKeys: String, CodingKey {
      case id
      case excludeIDs = "exclude_ids"
    }
  }

  private struct JudgementLine: Decodable {
    let queryID, episodeID: String
    let relevance: Int
    enum CodingKeys: String, CodingKey {
      case queryID = "query_id"
      case episodeID = "episode_id"
      case relevance
    }
  }

  /// By query; only relevant episodes.
  private(set) var relevance: [String: [String: Int]] = [:]
  private(set) var excluded: [String: Set<String>] = [:]

  init(in folder: String) throws {
    for line in try LinesOfJSON.read(QueryLine.self, from: folder + "/queries.jsonl") {
      excluded[line.id] = Set(line.excludeIDs ?? [])
    }
    for line in try LinesOfJSON.read(JudgementLine.self, from: folder + "/qrels.jsonl") where line.relevance > 0 {
      relevance[line.queryID, default: [:]][line.episodeID] = line.relevance
    }
    guard !relevance.isEmpty else { throw BenchError("\(folder)/qrels.jsonl names no relevant episode") }
  }

  /// A limit that leaves 100 results without the excluded ones.
  var limit: Int { 100 + (excluded.values.map(\.count).max() ?? 0) }
}
