import Episodic
import Foundation
import TestSupport
import Testing

/// Real runs and queries about them, in the development data beside the checkout, if present.
private enum RealData: String, CaseIterable {
  case sql, airline

  static let areThere = allCases.allSatisfy { Host.hasSharedData("\($0.rawValue)/episodes.jsonl") }

  func file(_ name: String) -> String { Host.sharedData("\(rawValue)/\(name)").path(percentEncoded: false) }

  func lines(_ name: String) throws -> [[String: Any]] {
    try String(contentsOfFile: file(name), encoding: .utf8).split(separator: "\n").map { line in
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
    }
  }

  func vectors(_ name: String) -> VectorSource? {
    self == .sql ? VectorSource(.file(file(name)), model: "minilm", dimensions: 384) : nil
  }

  /// Mean nDCG@10 of a file of results: gain 2^relevance - 1, excluded episodes dropped before scoring.
  func quality(of results: String) throws -> Double {
    var relevance: [String: [String: Double]] = [:]
    for line in try lines("qrels.jsonl") {
      guard let query = line["query_id"] as? String, let episode = line["episode_id"] as? String else { continue }
      relevance[query, default: [:]][episode] = (line["relevance"] as? NSNumber)?.doubleValue
    }
    let excluded = Dictionary(
      uniqueKeysWithValues: try lines("queries.jsonl").map {
        ($0["id"] as? String ?? "", $0["exclude_ids"] as? [String] ?? [])
      })
    func gain(_ relevances: some Sequence<Double>) -> Double {
      relevances.prefix(10).enumerated().reduce(0) { $0 + (exp2($1.element) - 1) / log2(Double($1.offset) + 2) }
    }
    var total = 0.0, count = 0
    for line in try String(contentsOfFile: results, encoding: .utf8).split(separator: "\n") {
      let result = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      let query = result["query_id"] as? String ?? ""
      let ids = (result["results"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
      let relevant = relevance[query] ?? [:]
      let found = ids.filter { excluded[query]?.contains($0) != true }.map { relevant[$0] ?? 0 }
      total += gain(found) / gain(relevant.values.sorted(by: >))
      count += 1
    }
    #expect(count == excluded.count)
    return total / Double(count)
  }
}

@Suite struct `Retrieval quality` {
  @Test(.enabled(if: RealData.areThere, "needs ../shared/data beside the checkout"), arguments: RealData.allCases)
  fileprivate func `the defaults find the relevant runs by words and by vectors, with equal results in both runs`(
    _ data: RealData
  ) async throws {
    let store = try Store()
    let memory = try await store.open()
    let report = try await memory.importEpisodes(
      from: [.file(data.file("episodes.jsonl"))], vectors: data.vectors("minilm.episodes.f32"))
    #expect(report.imported > 0 && report.rejected.isEmpty)

    let least: [(RecallMode, Double)] = data == .sql ? [(.text, 0.740), (.hybrid, 0.830)] : [(.text, 0.870)]
    for (mode, quality) in least {
      var answers: [String] = []
      for round in 0..<2 {
        let file = store.directory.file("\(mode)-\(round).jsonl")
        try await memory.recall(
          queries: .file(data.file("queries.jsonl")), vectors: data.vectors("minilm.queries.f32"), to: .file(file),
          options: .init(mode: mode, limit: 12))
        let reached = try data.quality(of: file)
        #expect(reached >= quality, "\(data) by \(mode): \(reached)")
        print("nDCG@10 of \(data) by \(mode): \(reached)")
        answers.append(try String(contentsOfFile: file, encoding: .utf8).replacing(/"ms":[0-9.]+/, with: ""))
      }
      #expect(answers[0] == answers[1])
    }
  }

  /// I8
  @Test(.enabled(if: RealData.areThere, "needs ../shared/data beside the checkout"))
  func `recall of real runs in one domain returns no other domain`() async throws {
    let store = try Store()
    let memory = try await store.open()
    _ = try await memory.importEpisodes(
      from: [.file(RealData.sql.file("episodes.jsonl"))], vectors: RealData.sql.vectors("minilm.episodes.f32"))
    let question = try await memory.embeddings(
      in: EmbeddingSpace(model: "minilm", dimensions: 384), scope: .everything, limit: 1)[0].vector
    let domains = Set(try await memory.episodes(in: .everything, limit: 1000).elements.map(\.domain))
    #expect(domains.count > 10)
    for domain in domains {
      let query = Query(text: "how many names", vector: question, scope: .domain(domain), limit: 100)
      let hits = try await memory.recall(query)
      #expect(!hits.isEmpty && hits.allSatisfy { $0.episode.domain == domain })
    }
  }
}
