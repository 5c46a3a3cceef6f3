import CRawSQLite
import Episodic

extension TextBenchmark {
  /// The same documents and questions in a domain with an index, in one without, and in an encrypted one, in turns.
  func encryption(_ population: TextPopulation, _ report: inout Report) async throws {
    guard Protection.built.contains(.encryption) else { return }
    let contest = try await EncryptedSearches(population, in: scratch, progress: progress)
    try await contest.fill(&report)
    try await contest.ask(queries: options.queries, &report)
    try await contest.close()
  }
}

/// One domain in three stores: with an index, without one, and encrypted.
private struct EncryptedSearches {
  /// An encrypted domain takes time in proportion to the rows that match: so many are enough to see it.
  private static let mostDocuments = 20_000
  private static let batch = 1000
  private static let domain = "bench"
  private static let dimensions = 128
  private static let vectorQuestions = 20

  private let population: TextPopulation
  private let vectors: VectorPopulation
  private let progress: Progress
  private let sides: [(name: String, memory: Memory)]
  private let section: String

  init(_ population: TextPopulation, in scratch: ScratchDirectory, progress: Progress) async throws {
    self.population = population
    self.progress = progress
    vectors = VectorPopulation(rows: min(Self.mostDocuments, population.count), dimensions: Self.dimensions)
    section = "\(vectors.rows.grouped) documents"
    var unindexed = TextStore.options
    unindexed.index.isEnabled = false
    sides = [
      ("index", try await Memory.open(at: scratch.path(of: "contest-index"), options: TextStore.options)),
      ("no index", try await Memory.open(at: scratch.path(of: "contest-no-index"), options: unindexed)),
      (
        "encrypted",
        try await Protection.encryption.open(
          at: scratch.path(of: "contest-encrypted"), domains: [Self.domain], TextStore.options)
      ),
    ]
  }

  func close() async throws {
    for side in sides { try await side.memory.close() }
  }

  /// Inserts the documents and a vector of each.
  func fill(_ report: inout Report) async throws {
    var inserts = sides.map { Series("insert, \($0.name)", "memory.insert of \(Self.batch) documents") }
    var embeds = sides.map { Series("embed, \($0.name)", "memory.embed of \(Self.batch) vectors") }
    var generator = SeededGenerator(seed: population.seed &+ 3)
    for (round, first) in stride(from: 0, to: vectors.rows, by: Self.batch).enumerated() {
      progress.show("encrypted documents", first, of: vectors.rows)
      let numbers = first..<min(first + Self.batch, vectors.rows)
      let episodes = numbers.map { population.episode($0, domain: Self.domain) }
      let drafts = numbers.map { vectors.draft($0, Self.vector(&generator)) }
      for side in Protection.order(of: round, sides.count) {
        var start = raw_now()
        try await sides[side].memory.insert(episodes)
        inserts[side].record(since: start, items: numbers.count)
        start = raw_now()
        try await sides[side].memory.embed(drafts)
        embeds[side].record(since: start, items: numbers.count)
      }
    }
    // What is asked of an index is not to depend on how far it has come.
    try await sides[0].memory.rebuild { _ in }
    add(inserts, "insert", &report)
    add(embeds, "embed", &report)
  }

  func ask(queries: Int, _ report: inout Report) async throws {
    var generator = SeededGenerator(seed: population.seed &+ 4)
    // Phrases and prefixes cannot be looked for in an encrypted domain.
    var kinds = population.questions(queries).map { kind in
      (kind.name, kind.what, kind.questions.filter(\.isOfWords).map(\.query))
    }.filter { !$0.2.isEmpty }
    kinds.append(
      (
        "vector", "the ten nearest of a random vector of \(Self.dimensions) numbers",
        (0..<Self.vectorQuestions).map { _ in
          Query(vector: Self.vector(&generator), space: vectors.space, scope: .everything)
        }
      ))
    for (name, what, questions) in kinds {
      var series = sides.map { Series("\(name), \($0.name)", "memory.search: \(what)") }
      for (round, question) in questions.enumerated() {
        progress.show("encrypted: \(name)", round, of: questions.count)
        var query = question
        query.scope = .domain(Self.domain)
        var answers = [[RankedRow]](repeating: [], count: sides.count)
        for side in Protection.order(of: round, sides.count) {
          let start = raw_now()
          let hits = try await sides[side].memory.search(query)
          series[side].record(since: start)
          answers[side] = try hits.map { RankedRow(number: try NumberedEpisode.number(of: $0.id), score: $0.score) }
        }
        // An index of vectors leaves out a few.
        let exact = question.vector == nil ? answers : answers.suffix(2)
        guard exact.allSatisfy({ $0.agrees(with: answers[1]) }) else {
          throw BenchError("the encrypted domain answers question \(round) of \"\(name)\" as the same data does not")
        }
      }
      add(series, name, &report)
    }
  }

  private func add(_ series: [Series], _ name: String, _ report: inout Report) {
    report.rows += series.map { Row($0, section: section) }
    for (side, other) in zip(sides, series).dropLast() {
      report.ratios.append(
        Ratio(
          "\(name), encrypted / \(side.name), p50", section: section, series[series.count - 1].p50, over: other.p50))
    }
  }

  private static func vector(_ generator: inout SeededGenerator) -> [Float] {
    (0..<dimensions).map { _ in Float.random(in: -1...1, using: &generator) }
  }
}

extension Question {
  fileprivate var isOfWords: Bool { filter == nil && query.phrases.isEmpty && query.prefixes.isEmpty }
}
