@testable import EpisodicMemory
import Foundation
import MemorySQLite
import TestSupport
import Testing

/// The words of a request in the primary, beside the definition of bm25 over the same texts.
@Suite struct `Word statistics of the primary` {
  private func candidates<Value: Sendable>(
    _ query: Query, _ bench: Bench, _ body: @escaping @Sendable (any CandidateSource) throws(MemoryError) -> Value
  ) async throws -> Value {
    let terms = try SearchTerms(text: query.text, phrases: query.phrases, prefixes: query.prefixes)
    let request = RecallRequest(query, terms: terms)
    return try await bench.primary.read { snapshot throws(MemoryError) in try body(snapshot.candidates(for: request)) }
  }

  private static let words = ["red", "green", "blue", "grey", "white", "black"]

  /// - Parameter documents: All of one field of the corpus.
  /// - Returns: Of each document, the sum over the words in order.
  private func scores(_ documents: [[String]], _ words: [String]) -> [Double] {
    let tokens = documents.reduce(0) { $0 + $1.count }
    let average = Double(tokens) / Double(documents.count)
    return documents.map { document in
      words.reduce(0.0) { sum, word in
        let having = Double(documents.count { $0.contains(word) })
        let idf = log(1 + (Double(documents.count) + 10 - having + 0.5) / (having + 0.5))
        let frequency = Double(document.count { $0 == word })
        if frequency == 0 { return sum }
        return sum
          + (idf
            * ((frequency * (1.2 + 1.0)) / (frequency + 1.2 * (1 - 0.75 + 0.75 * Double(document.count) / average))))
      }
    }
  }

  private func random(
    _ id: String, domain: String? = nil, status: Episode.Status? = nil, _ generator: inout SeededGenerator
  ) -> Episode {
    func text() -> String {
      (0..<Int.random(in: 1...9, using: &generator)).map { _ in Self.words.randomElement(using: &generator) ?? "" }
        .joined(separator: " ")
    }
    let steps = (0..<Int.random(in: 0...3, using: &generator)).map { _ in text() }
    return .sample(
      Episode.ID(id), domain: domain ?? (Bool.random(using: &generator) ? "a" : "b"), context: text(),
      status: status ?? Episode.Status.allCases.randomElement(using: &generator) ?? .completed, steps: steps)
  }

  @Test(arguments: 1...5, [Query.Scope.domain("a"), .everything])
  func `scores are bm25 over the corpus bit for bit, whatever the filter`(
    _ seed: UInt64, _ scope: Query.Scope
  ) async throws {
    var generator = SeededGenerator(seed: seed)
    let bench = try await Bench()
    let episodes = (0..<60).map { random("e\($0)", &generator) }
    try await bench.memory.insert(episodes)
    for statuses in [nil, [.failed], [.active, .archived]] as [Set<Episode.Status>?] {
      let corpus = episodes.filter { episode in
        (scope == .everything || episode.domain == "a")
          && (episode.status != .active || statuses?.contains(.active) == true)
      }
      let contexts = scores(
        corpus.map { $0.context.split(separator: " ").map(String.init) }, ["red", "blue", "grey"])
      let query = Query(text: "red blue grey orange", scope: scope, filter: .init(statuses: statuses), limit: 1000)
      let (found, statistics) = try await candidates(query, bench) { source throws(MemoryError) in
        (try source.wordCandidates(in: nil), try source.wordStatistics())
      }
      #expect(statistics.words == ["red", "blue", "grey"])
      #expect(statistics.unknown == 1)
      #expect(statistics.contexts.documents == corpus.count)
      #expect(statistics.steps.documents == corpus.reduce(0) { $0 + $1.steps.count })
      let wanted = statuses ?? [.completed, .failed]
      var expected: [Int64: Double] = [:]
      for (episode, score) in zip(corpus, contexts) where wanted.contains(episode.status) && score > 0 {
        let row = try #require(episodes.firstIndex { $0.id == episode.id })
        expected[Int64(row + 1)] = score
      }
      let byContext = found.filter { $0.context > 0 }.map { ($0.row, $0.context) }
      #expect(Dictionary(uniqueKeysWithValues: byContext) == expected)
    }
  }

  @Test func `episodes of another domain and active ones change neither scores nor statistics`() async throws {
    let bench = try await Bench()
    var generator = SeededGenerator(seed: 9)
    let own = (0..<40).map { random("e\($0)", domain: "a", status: $0 % 2 == 0 ? .completed : .failed, &generator) }
    try await bench.memory.insert(own)
    let query = Query(text: "red blue", phrases: ["grey"], prefixes: ["wh"], scope: .domain("a"), limit: 100)
    func answer() async throws -> (String, WordStatistics) {
      try await candidates(query, bench) { source throws(MemoryError) in
        ("\(try source.wordCandidates(in: nil))", try source.wordStatistics())
      }
    }
    let before = try await answer()
    let others = (0..<40).map { number in
      number % 2 == 0
        ? random("o\(number)", domain: "b", &generator) : random("o\(number)", status: .active, &generator)
    }
    try await bench.memory.insert(others)
    let after = try await answer()
    #expect(before.0 == after.0)
    #expect(before.1 == after.1)
  }

  @Test func `of more than 64 words the rarest count, in the order of the query`() {
    // Ten words each of 0...9 documents: all of 1...6, and the first four of 7.
    let having = (0..<100).map { $0 % 10 }
    let counting = WordStatistics.counting(having)
    #expect(counting.count == 64)
    #expect(counting == counting.sorted())
    #expect(counting.filter { having[$0] == 7 } == [7, 17, 27, 37])
    #expect(counting.allSatisfy { (1...7).contains(having[$0]) })
    #expect(WordStatistics.counting([0, 3, 0, 9]) == [1, 3])
  }

  @Test func `an episode's neighbours are those of its session, by time and row`() async throws {
    let bench = try await Bench()
    func sample(_ id: Episode.ID, _ domain: String, _ session: String?, _ time: Int64, _ status: Episode.Status)
      -> Episode
    {
      Episode(
        id: id, taskType: .debugging, domain: domain, session: session, context: "x", status: status,
        createdAt: Timestamp(milliseconds: time))
    }
    try await bench.memory.insert([
      sample("1", "a", "s", 30, .completed), sample("2", "a", "s", 10, .completed),
      sample("3", "b", "s", 20, .completed),
      sample("4", "a", "s", 10, .failed), sample("5", "a", nil, 15, .completed), sample("6", "a", "s", 20, .active),
    ])
    func places(_ statuses: Set<Episode.Status>?, _ scope: Query.Scope) async throws -> [Int64: SessionPlace] {
      let query = Query(text: "x", scope: scope, filter: .init(statuses: statuses))
      return try await candidates(query, bench) { source throws(MemoryError) in
        try source.sessionPlaces(of: [1, 2, 3, 4, 5, 6])
      }
    }
    let own = try await places(nil, .domain("a"))
    #expect(own.keys.sorted() == [1, 2, 4])
    #expect(own[1]?.previous == 4 && own[1]?.next == nil)
    #expect(own[2]?.previous == nil && own[2]?.next == 4)
    #expect(own[4]?.previous == 2 && own[4]?.next == 1)
    let all = try await places([.active], .everything)
    #expect(all[6]?.previous == 4 && all[6]?.next == 1)
    #expect(all[3]?.previous == nil && all[3]?.session != all[1]?.session)
  }
}
