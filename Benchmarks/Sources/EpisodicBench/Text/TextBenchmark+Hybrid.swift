import CRawSQLite
import Episodic

extension TextBenchmark {
  private static let hybridQuestions = 100
  private static let hybridRounds = 3

  private enum Part: CaseIterable { case recall, search, text, vector }

  /// Recall by text and vector together, and its parts alone, alternately.
  func hybrid(
    _ population: TextPopulation, _ rows: FloatRows, _ memory: Memory, _ report: inout Report
  ) async throws {
    var generator = SeededGenerator(seed: options.seed &+ 2)
    let questions = (0..<Self.hybridQuestions).map { _ in question(population, rows, &generator) }
    for question in questions.prefix(20) { _ = try await memory.recall(question) }
    var series: [Part: Series] = [
      .recall: Series("hybrid recall", "memory.recall by 8 words and a vector, limit 10: with the episodes"),
      .search: Series("hybrid search", "memory.search of the same: without them"),
      .text: Series("text leg", "memory.search by the words alone, as many candidates as the fusion takes"),
      .vector: Series("vector leg", "memory.search by the vector alone, as many candidates as the fusion takes"),
    ]
    for round in 0..<Self.hybridRounds {
      progress.show("text and vector", round, of: Self.hybridRounds)
      for question in questions {
        for part in Part.allCases {
          let asked = Self.query(part, of: question)
          let start = raw_now()
          if part == .recall { _ = try await memory.recall(asked) } else { _ = try await memory.search(asked) }
          series[part]?.record(since: start)
        }
      }
    }
    report.rows = Part.allCases.compactMap { series[$0] }.map { Row($0, section: "text and vector") }
    func median(_ part: Part) -> Double { series[part]?.p50 ?? 0 }
    let whole = median(.recall)
    let shares = [
      ("text leg", median(.text)), ("vector leg", median(.vector)), ("loading the episodes", whole - median(.search)),
      ("rest: fusion and parts shared by the legs", median(.search) - median(.text) - median(.vector)),
    ]
    report.figures += shares.map { Figure("share of hybrid recall, \($0)", 100 * $1 / whole, "%") }
    report.ratios.append(
      Ratio("hybrid recall, p50, ms", section: "text and vector", whole, over: 1e6, target: .atMost(25)))
  }

  /// 8 words, and a vector between those of two episodes.
  private func question(
    _ population: TextPopulation, _ rows: FloatRows, _ generator: inout SeededGenerator
  ) -> Query {
    let words = (0..<8).map { _ in population.spoken.words[population.spoken.draw(&generator)] }
    var query = Question(words: words).query
    let (first, second) = (generator.next(), generator.next())
    let count = UInt64(options.documents)
    query.vector = zip(rows.unit(Int(first % count)), rows.unit(Int(second % count))).map { $0 + 0.5 * $1 }
    query.space = VectorPopulation(rows: options.documents, dimensions: rows.dimensions).space
    return query
  }

  private static func query(_ part: Part, of question: Query) -> Query {
    var query = question
    switch part {
    case .recall, .search: return query
    case .text:
      query.vector = nil
      query.space = nil
    case .vector: query.text = nil
    }
    query.limit = max(query.limit, query.ranking.depth)
    return query
  }
}
