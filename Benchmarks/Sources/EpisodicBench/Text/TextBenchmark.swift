import CRawSQLite
import Episodic

/// Queries by words to the library and to plain FTS5 over the same file, alternately.
struct TextBenchmark {
  /// Consecutive queries to one side.
  private static let turn = 10
  /// Runs of a query by the library for each by FTS5.
  private static let repeats = 3

  let options: TextOptions
  let scratch: ScratchDirectory
  let progress = Progress()

  init(_ options: TextOptions, scratch: ScratchDirectory) {
    self.options = options
    self.scratch = scratch
  }

  /// On the global executor, so that no hop from the main thread is measured.
  @concurrent
  func run() async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    for _ in 0..<32 { try probe.sample() }
    var report = Report(
      benchmark: "text",
      parameters: ["documents": options.documents, "queries": options.queries],
      machine: Machine(durability: TextStore.options.durability.rawValue, sync: probe.series),
      notes: [Protection.note].compactMap(\.self))
    let vectors = try hybridRows()
    let population = TextPopulation(count: options.documents, seed: options.seed, progress: progress)
    var store = try await TextStore(
      in: options.store ?? scratch.path(of: "store"), population, others: scratch, progress: progress)
    let memory = try await store.open()
    reportMaking(store, &report)
    try await reportSizes(memory, &report)
    try await contests(population, memory, store, &report)
    if let vectors {
      try await store.embed(vectors, memory, progress: progress)
      try await hybrid(population, vectors, memory, &report)
      try await secondModel(vectors, &store, memory, &report)
    }
    try await rebuild(memory, &report)
    try await memory.close()
    try await encryption(population, &report)
    progress.clear()
    return report
  }

  // MARK: Stages

  private func reportMaking(_ store: TextStore, _ report: inout Report) {
    let (making, documents) = (store.making, Double(options.documents))
    report.figures += [
      Figure("documents inserted, everything included", documents / making.librarySeconds, "/s"),
      Figure("documents inserted, no index of words", documents / making.unindexedSeconds, "/s"),
      Figure("documents inserted into FTS5 alone", documents / making.plainSeconds, "/s"),
    ]
    report.ratios += [
      Ratio(
        "insert, rate / FTS5 alone", section: "build", making.plainSeconds, over: making.librarySeconds,
        target: .atLeast(0.5)),
      Ratio(
        "insert, rate / the same without the index of words", section: "build", making.unindexedSeconds,
        over: making.librarySeconds),
    ]
    if !store.isNew {
      report.notes.append(
        "the store was kept: the rates are of the run that filled it, and its index was rebuilt since")
    }
  }

  private func reportSizes(_ memory: Memory, _ report: inout Report) async throws {
    let index = try await memory.statistics().index
    if let reason = index.unavailable {
      report.failure = "there is no index (\(reason)), so no figure measures one"
    } else if index.documents != options.documents {
      report.failure = "the index reports \(index.documents) documents of \(options.documents)"
    }
    report.figures += [
      Figure("word index, per document", Double(index.wordBytes) / Double(options.documents), "bytes"),
      Figure("file of the indexes, per document", Double(index.fileBytes) / Double(options.documents), "bytes"),
    ]
  }

  private func contests(
    _ population: TextPopulation, _ memory: Memory, _ store: TextStore, _ report: inout Report
  ) async throws {
    let fullText = try PlainFullText(store: store.folder)
    var agreeing = 0
    var compared = 0
    for kind in population.questions(options.queries) {
      for question in kind.questions.prefix(3) {
        _ = try fullText.best(question)
        _ = try await memory.search(question.query)
      }
      var contest = TextContest(kind)
      for round in 0..<kind.rounds {
        for first in stride(from: 0, to: kind.questions.count, by: Self.turn) {
          progress.show(kind.name, round * kind.questions.count + first, of: kind.rounds * kind.questions.count)
          let turn = kind.questions[first..<min(first + Self.turn, kind.questions.count)]
          try await contest.ask(turn, round: round, repeats: Self.repeats, memory, fullText)
        }
      }
      agreeing += contest.agreeing
      compared += contest.compared
      report.classes.append(TextRow(contest))
      report.ratios.append(Self.ratio(contest))
    }
    report.ratios.append(
      Ratio(
        "same ten as the exhaustive search, ties aside", section: "\(compared) questions", Double(agreeing),
        over: Double(compared),
        target: .atLeast(0.99)))
  }

  /// The time to rebuild everything derived.
  private func rebuild(_ memory: Memory, _ report: inout Report) async throws {
    progress.show("rebuilding the indexes", 0, of: 1)
    let clock = StageClock()
    try await memory.rebuild { clock.note($0) }
    report.figures += clock.figures
  }

  private static func ratio(_ contest: TextContest) -> Ratio {
    let (name, plain, search) = (contest.kind.name, contest.plain.p50, contest.search.p50)
    guard let times = contest.kind.timesFaster else {
      return Ratio("\(name), search / FTS5, p50", section: "questions", search, over: plain, target: .atMost(1.1))
    }
    return Ratio("\(name), FTS5 / search, p50", section: "questions", plain, over: search, target: .atLeast(times))
  }

  /// Opened first, so that a wrong file is reported before any measurement.
  private func hybridRows() throws -> FloatRows? {
    guard let path = options.vectors, let dimensions = options.dimensions else { return nil }
    let rows = try FloatRows(path: path, dimensions: dimensions)
    guard rows.count >= options.documents else {
      throw BenchError("\(path) has \(rows.count) rows for \(options.documents) documents")
    }
    return rows
  }
}

/// The options of `bench text`.
struct TextOptions {
  let documents: Int
  let queries: Int
  let seed: UInt64
  /// A store to keep and reuse; `nil` for one that is removed after the run.
  let store: String?
  /// A row per document, for recall by text and vector together.
  let vectors: String?
  let dimensions: Int?
}
