import CRawSQLite
import Episodic

extension VectorsBenchmark {
  private static let additions = 200

  /// Starts a process that opens the store and answers a query, several times; the files are in memory.
  func open(_ store: VectorStore, _ report: inout Report) throws {
    var sinceMain = Series("first answer since main", "from the start of a new process to its first answer")
    var sinceOpen = Series("first answer since open", "the same from Memory.open on")
    var sinceSpawn = Series("first answer since spawn", "the same, as measured by the parent process")
    for round in -1..<Self.openings {
      progress.show("opening", round, of: Self.openings)
      let asker = try VectorsAsker(store: store.folder, queries: options.queries, dimensions: options.dimensions)
      try asker.end()
      // The first loads the program into memory.
      guard round >= 0 else { continue }
      sinceMain.record(nanoseconds: asker.first.sinceMain)
      sinceOpen.record(nanoseconds: asker.first.sinceOpen)
      sinceSpawn.record(nanoseconds: asker.sinceSpawn)
    }
    report.rows += [sinceOpen, sinceMain, sinceSpawn].map { Row($0, section: "opening") }
    report.ratios += [
      Ratio(
        "open to first answer, ms", section: "opening", sinceOpen.p50, over: 1e6,
        target: .atMost(20)),
      Ratio("main to first answer, ms", section: "opening", sinceMain.p50, over: 1e6),
    ]
  }

  /// Inserts episodes with vectors durably, each searched at once by another process; then deletes them.
  func insertOneByOne(_ store: VectorStore, _ report: inout Report) async throws {
    let memory = try await store.open()
    let asker = try VectorsAsker(store: store.folder, queries: options.queries, dimensions: options.dimensions)
    var inserts = Series("insert", "memory.insert of one episode with its vector, durable")
    var finds = Series("found elsewhere", "the next search of another process, as it times it")
    var answers = Series("answer from elsewhere", "the same from the question to the answer through pipes")
    let count = min(Self.additions, queries.count)
    var missed = 0
    for query in 0..<count {
      progress.show("one by one", query, of: count)
      let addition = base.count + query
      let episode = population.episode(addition)
      let draft = population.draft(addition, queries[query])
      let start = raw_now()
      _ = try await memory.insert([episode], embeddings: [draft])
      inserts.record(since: start)
      let asking = raw_now()
      let answer = try asker.ask(query)
      answers.record(since: asking)
      finds.record(nanoseconds: answer.searching)
      if !answer.ids.contains(episode.id.rawValue) { missed += 1 }
    }
    try await deleteAdditions(memory)
    let ghosts = try (0..<count).count { query in
      try asker.ask(query).ids.contains(NumberedEpisode.id(base.count + query).rawValue)
    }
    try asker.end()
    try await memory.close()
    report.rows += [inserts, finds, answers].map { Row($0, section: "one by one") }
    report.ratios.append(
      Ratio(
        "inserts that another process found", section: "one by one", Double(count - missed), over: Double(count),
        target: .atLeast(1)))
    if ghosts > 0 { report.failure = "another process still finds \(ghosts) of \(count) vectors that were deleted" }
  }

  /// Deletes the episodes that this run, or an interrupted one before, inserted besides the rows.
  func deleteAdditions(_ memory: Memory) async throws {
    for query in 0..<min(Self.additions, queries.count) {
      _ = try await memory.delete(NumberedEpisode.id(base.count + query))
    }
  }
}
