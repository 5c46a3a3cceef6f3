import Foundation

/// What the right answers are: `qrels.jsonl`, and what `queries.jsonl` excludes.
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

  /// By query; only what is relevant.
  private(set) var relevance: [String: [String: Int]] = [:]
  private(set) var excluded: [String: Set<String>] = [:]

  init(in folder: String) throws {
    for line in try LinesOfJSON.read(QueryLine.self, from: folder + "/queries.jsonl") {
      excluded[line.id] = Set(line.excludeIDs ?? [])
    }
    for line in try LinesOfJSON.read(JudgementLine.self, from: folder + "/qrels.jsonl") where line.relevance > 0 {
      relevance[line.queryID, default: [:]][line.episodeID] = line.relevance
    }
    guard !relevance.isEmpty else { throw BenchError("\(folder)/qrels.jsonl calls nothing relevant") }
  }

  /// So many answers that a hundred are left when the excluded ones are dropped.
  var limit: Int { 100 + (excluded.values.map(\.count).max() ?? 0) }
}
