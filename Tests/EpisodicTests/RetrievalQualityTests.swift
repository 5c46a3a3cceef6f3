import Episodic
import Foundation
import TestSupport
import Testing

/// Real runs and dialogues with judged queries, in the development data beside the checkout, if present.
enum RealData: String, CaseIterable {
  case sql, airline, dialogues

  static let areThere = allCases.allSatisfy { Host.hasSharedData("\($0.rawValue)/episodes.jsonl") }

  var hasVectors: Bool { self != .airline }

  func file(_ name: String) -> String { Host.sharedData("\(rawValue)/\(name)").path(percentEncoded: false) }

  func vectors(_ name: String) -> VectorSource? {
    hasVectors ? VectorSource(.file(file(name)), model: "minilm", dimensions: 384) : nil
  }

  func load(into memory: Memory) async throws {
    let report = try await memory.importEpisodes(
      from: [.file(file("episodes.jsonl"))], vectors: vectors("minilm.episodes.f32"))
    #expect(report.imported > 0 && report.rejected.isEmpty)
  }

  /// The results of every query, without the times.
  func answers(_ memory: Memory, _ mode: RecallMode, in directory: TemporaryDirectory) async throws -> String {
    let file = directory.file("answers.jsonl")
    try await memory.recall(
      queries: .file(self.file("queries.jsonl")), vectors: vectors("minilm.queries.f32"), to: .file(file),
      options: .init(mode: mode, limit: 12))
    return try String(contentsOfFile: file, encoding: .utf8).replacing(/"ms":[0-9.]+/, with: "")
  }

  func lines(_ name: String) throws -> [[String: Any]] {
    try Self.objects(try String(contentsOfFile: file(name), encoding: .utf8))
  }

  private static func objects(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
    }
  }

  /// Means over the queries, or over those of a category: nDCG@10 with a gain of 2^relevance - 1, and the share of the
  /// relevant episodes among the first ten; excluded episodes dropped before scoring.
  func quality(of answers: String, category: String? = nil) throws -> (ndcg: Double, recall: Double) {
    var relevance: [String: [String: Double]] = [:]
    for line in try lines("qrels.jsonl") {
      guard let query = line["query_id"] as? String, let episode = line["episode_id"] as? String else { continue }
      relevance[query, default: [:]][episode] = (line["relevance"] as? NSNumber)?.doubleValue
    }
    func gain(_ relevances: some Sequence<Double>) -> Double {
      relevances.prefix(10).enumerated().reduce(0) { $0 + (exp2($1.element) - 1) / log2(Double($1.offset) + 2) }
    }
    var ndcg = 0.0, recall = 0.0, count = 0
    let queries = try lines("queries.jsonl")
    let results = try Self.objects(answers)
    #expect(results.count == queries.count)
    for (query, result) in zip(queries, results) where category == nil || query["category"] as? String == category {
      let excluded = query["exclude_ids"] as? [String] ?? []
      let ids = (result["results"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
      let relevant = relevance[query["id"] as? String ?? ""] ?? [:]
      let found = ids.filter { !excluded.contains($0) }.prefix(10).map { relevant[$0] ?? 0 }
      ndcg += gain(found) / gain(relevant.values.sorted(by: >))
      recall += Double(found.count { $0 > 0 }) / Double(relevant.count)
      count += 1
    }
    return (ndcg / Double(count), recall / Double(count))
  }
}

/// A figure that the defaults reach.
struct QualityFloor: CustomTestStringConvertible, Sendable {
  let data: RealData
  let mode: RecallMode
  var category: String?
  var ndcg = 0.0
  var recall = 0.0

  var testDescription: String { "\(data) by \(mode.rawValue) \(category ?? "")" }

  static let all = [
    QualityFloor(data: .sql, mode: .text, ndcg: 0.811),
    QualityFloor(data: .sql, mode: .hybrid, ndcg: 0.868),
    QualityFloor(data: .airline, mode: .text, ndcg: 0.883),
    QualityFloor(data: .dialogues, mode: .text, recall: 0.76),
    QualityFloor(data: .dialogues, mode: .hybrid, recall: 0.90),
    // .801 before times in questions counted.
    QualityFloor(data: .dialogues, mode: .hybrid, category: "temporal", recall: 0.861),
  ]
}

@Suite struct `Retrieval quality` {
  @Test(.enabled(if: RealData.areThere, "needs ../shared/data beside the checkout"), arguments: RealData.allCases)
  func `the defaults find the relevant episodes by words and by words and vectors`(_ data: RealData) async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await data.load(into: memory)
      var answers: [RecallMode: String] = [:]
      for floor in QualityFloor.all where floor.data == data {
        let answer: String
        if let known = answers[floor.mode] {
          answer = known
        } else {
          answer = try await data.answers(memory, floor.mode, in: store.directory)
        }
        answers[floor.mode] = answer
        let quality = try data.quality(of: answer, category: floor.category)
        print("\(floor.testDescription): nDCG@10 \(quality.ndcg), R@10 \(quality.recall)")
        #expect(quality.ndcg >= floor.ndcg, "\(floor.testDescription)")
        #expect(quality.recall >= floor.recall, "\(floor.testDescription)")
      }
    }
  }

  /// I1
  @Test(.enabled(if: RealData.areThere, "needs ../shared/data beside the checkout"), arguments: RealData.allCases)
  func `answers are equal to the last bit again, from another opening, without the cache and after a rebuild`(
    _ data: RealData
  ) async throws {
    let store = try Store()
    let mode: RecallMode = data.hasVectors ? .hybrid : .text
    func answers() async throws -> String {
      try await store.withMemory { try await data.answers($0, mode, in: store.directory) }
    }
    let first = try await store.withMemory { memory in
      try await data.load(into: memory)
      let first = try await data.answers(memory, mode, in: store.directory)
      #expect(try await data.answers(memory, mode, in: store.directory) == first)
      return first
    }
    #expect(try await answers() == first)
    try FileManager.default.removeItem(atPath: store.cachePath)
    #expect(try await answers() == first)
    try await store.withMemory { try await $0.rebuild() }
    #expect(try await answers() == first)
  }

  /// I8
  @Test(.enabled(if: RealData.areThere, "needs ../shared/data beside the checkout"))
  func `recall of real runs in one domain returns no other domain`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await RealData.sql.load(into: memory)
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
