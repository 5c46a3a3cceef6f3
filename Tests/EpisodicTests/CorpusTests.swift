import Episodic
import Foundation
import TestSupport
import Testing

/// Which texts count for the rarity of a word: those of the scope that is asked, without active episodes unless they are asked for.
@Suite struct `The corpus of a query` {
  private static let words = ["red", "green", "blue", "grey", "white", "black", "brown"]

  private func text(_ random: inout SeededGenerator) -> String {
    (0..<Int.random(in: 1...8, using: &random)).map { _ in Self.words.randomElement(using: &random) ?? "" }
      .joined(separator: " ")
  }

  private func episode(
    _ name: String, _ number: Int, domain: String, status: Episode.Status, _ random: inout SeededGenerator
  ) -> Episode {
    .sample(
      Episode.ID("\(name)\(number)"), domain: domain, context: text(&random), status: status,
      steps: [text(&random), text(&random)], at: 1_767_225_600_000 + Int64(number))
  }

  private static let queries: [Query] = [
    Query(text: "red white", scope: .domain("own"), limit: 50),
    Query(text: "blue grey black", prefixes: ["bro"], scope: .domain("own"), limit: 50),
    Query(text: "green", phrases: ["red blue"], scope: .domain("own"), limit: 50),
  ]

  private func answers(_ memory: Memory, isExact: Bool) async throws -> [[String]] {
    var answers: [[String]] = []
    for var query in Self.queries {
      query.isExact = isExact
      answers.append(
        try await memory.recall(query).map { hit in
          "\(hit.episode.id) \(hit.score.bitPattern) \(hit.shares) \(hit.matches)"
        })
    }
    return answers
  }

  /// I8; and a cached answer is that of a new search.
  @Test(arguments: [true, false]) func `is not changed by other domains and active episodes`(hasCache: Bool)
    async throws
  {
    let store = try Store()
    var random = SeededGenerator(seed: 3)
    let memory = try await store.open { $0.cache.isEnabled = hasCache }
    try await memory.insert(
      (0..<60).map { episode("own", $0, domain: "own", status: $0 % 3 == 0 ? .failed : .completed, &random) })
    let before = try await answers(memory, isExact: false)
    #expect(before.allSatisfy { !$0.isEmpty })
    #expect(try await answers(memory, isExact: true) == before)
    for round in 0..<4 {
      try await memory.insert(
        (0..<20).map { episode("other\(round)-", $0, domain: "other", status: .completed, &random) })
      try await memory.insert((0..<5).map { episode("run\(round)-", $0, domain: "own", status: .active, &random) })
      #expect(try await answers(memory, isExact: false) == before)
      #expect(try await answers(memory, isExact: true) == before)
    }
    try await memory.close()
  }

  /// I1.
  @Test func `gives the same bits in another process, after the loss of the cache, and after a rebuild`() async throws {
    let store = try Store()
    var random = SeededGenerator(seed: 4)
    var memory = try await store.open()
    try await memory.insert(
      (0..<80).map { number in
        episode("e", number, domain: number % 2 == 0 ? "own" : "other", status: .completed, &random)
      })
    for number in stride(from: 0, to: 40, by: 4) { try await memory.delete(Episode.ID("e\(number)")) }
    let before = try await answers(memory, isExact: false)
    try await memory.close()
    memory = try await store.open()
    #expect(try await answers(memory, isExact: false) == before)
    try await memory.close()
    try FileManager.default.removeItem(atPath: store.path + "/cache.lmdb")
    memory = try await store.open()
    #expect(try await answers(memory, isExact: false) == before)
    try await memory.rebuild()
    #expect(try await answers(memory, isExact: false) == before)
    #expect(try await answers(memory, isExact: true) == before)
    try await memory.close()
  }

  @Test func `of all domains has the newest of equal attempts first, whatever their domains`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      let ids = (0..<60).map { Episode.ID("try\($0)") }
      for (number, id) in ids.enumerated() {
        try await memory.insert([
          .sample(id, domain: "d\(number * 7 % 5)", context: "deploy the api", at: 1_767_225_600_000 + Int64(number))
        ])
      }
      for isExact in [false, true] {
        let query = Query(text: "deploy", scope: .everything, limit: 10, isExact: isExact)
        #expect(try await memory.recall(query).map(\.episode.id) == Array(ids.reversed().prefix(10)))
      }
    }
  }
}
