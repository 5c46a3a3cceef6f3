import CRawSQLite
import Episodic

extension TextBenchmark {
  private static let hybridQuestions = 100
  private static let hybridRounds = 3

  private enum Part: CaseIterable { case recall, plain, dated, search, text, vector }

  /// Recall by text and vector together, the same without signals and with a date, and its legs alone, alternately.
  func hybrid(
    _ population: TextPopulation, _ rows: FloatRows, _ memory: Memory, _ report: inout Report
  ) async throws {
    var generator = SeededGenerator(seed: options.seed &+ 2)
    let questions = (0..<Self.hybridQuestions).map { _ in question(population, rows, &generator) }
    for question in questions.prefix(20) {
      for part in Part.allCases { try await Self.ask(part, question, memory) }
    }
    var series: [Part: Series] = [
      .recall: Series("hybrid recall", "memory.recall by 8 words and a vector, limit 10: with the episodes"),
      .plain: Series("hybrid recall, fusion alone", "the same with every other signal switched off"),
      .dated: Series("hybrid recall, dated", "the same as the first with a day in the text"),
      .search: Series("hybrid search", "memory.search of the same as the first: without the episodes"),
      .text: Series("text leg", "memory.search by the words alone, limit 10"),
      .vector: Series("vector leg", "memory.search by the vector alone, limit 10"),
    ]
    for round in 0..<Self.hybridRounds {
      progress.show("text and vector", round, of: Self.hybridRounds)
      for question in questions {
        for part in Part.allCases {
          let start = raw_now()
          try await Self.ask(part, question, memory)
          series[part]?.record(since: start)
        }
      }
    }
    report.rows += Part.allCases.compactMap { series[$0] }.map { Row($0, section: "text and vector") }
    func median(_ part: Part) -> Double { series[part]?.p50 ?? 0 }
    func ratio(_ name: String, _ above: Double, _ below: Double, atMost bound: Double) -> Ratio {
      Ratio(name, section: "text and vector", above, over: below, target: .atMost(bound))
    }
    report.ratios += [
      ratio("hybrid recall, p50, ms", median(.recall), 1e6, atMost: 20),
      ratio("hybrid recall / fusion alone, p50", median(.recall), median(.plain), atMost: 1.5),
      ratio("hybrid recall, dated / fusion alone, p50", median(.dated), median(.plain), atMost: 1.5),
      ratio("hybrid search / text and vector legs, p50", median(.search), median(.text) + median(.vector), atMost: 1.3),
    ]
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

  private static func ask(_ part: Part, _ question: Query, _ memory: Memory) async throws {
    var query = question
    switch part {
    case .recall: _ = try await memory.recall(query)
    case .plain:
      for signal in RankingSignal.all { signal.switchOff(&query.ranking) }
      _ = try await memory.recall(query)
    case .dated:
      // The episodes begin on 15 June 2025, a second apart.
      query.text = (query.text ?? "") + " on 16 June 2025"
      _ = try await memory.recall(query)
    case .search: _ = try await memory.search(query)
    case .text:
      query.vector = nil
      query.space = nil
      _ = try await memory.search(query)
    case .vector:
      query.text = nil
      _ = try await memory.search(query)
    }
  }
}
