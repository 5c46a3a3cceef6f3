import Episodic
import EpisodicMemory
import TestSupport
import Testing

/// A store of 1,500 episodes with four steps each, and what filters by steps must find in it.
private struct StepFilterOracle {
  let store: Store
  let memory: Memory
  let episodes: [Episode]

  static let actions = [
    "swift build", "swift test --filter Login", "swift test --parallel, then filter login", "git push origin",
    "npm run build",
  ]

  init() async throws {
    store = try Store()
    memory = try await store.open()
    var random = SeededGenerator(seed: 11)
    episodes = (0..<1500).map { number in
      let words = ["cache", "network", "parser"].shuffled(using: &random).prefix(2).joined(separator: " ")
      var episode = Episode.sample(
        Episode.ID("e\(number)"), domain: number.isMultiple(of: 3) ? "web" : "mail",
        context: "the \(words) problem number\(number % 40)", status: number % 7 == 0 ? .failed : .completed,
        at: 1_767_225_600_000 + Int64(number / 4))
      episode.steps = (1...4).map { step in
        let tool = Int.random(in: 0..<1000, using: &random)
        let failed = Int.random(in: 0..<10, using: &random) < 3
        return Step(
          id: Step.ID("e\(number)/\(step)"), number: step,
          action: Self.actions[Int.random(in: 0..<Self.actions.count, using: &random)],
          result: failed ? "login failed" : "passed", tool: tool < 5 ? "deploy" : tool < 900 ? "bash" : nil,
          success: tool % 11 == 0 ? nil : !failed, timestamp: Timestamp(milliseconds: 1_767_225_600_000))
      }
      return episode
    }
    try await memory.insert(
      episodes,
      embeddings: episodes.enumerated().map { number, episode in
        Embedding.Draft(
          of: episode.id, content: episode.context,
          vector: (0..<8).map { _ in Float.random(in: -1...1, using: &random) } + [Float(number % 3)], model: "m")
      })
    #expect(try await memory.statistics().index.isBuilt)
  }

  /// Many steps pass, few do, none do; the last is passed by any step.
  static let filters: [Step.Filter] = [
    .init(tool: "bash"), .init(tool: "deploy"), .init(success: false), .init(success: true),
    .init(tool: "bash", success: false), .init(tool: "deploy", success: false), .init(text: "swift test"),
    .init(phrase: "swift test --filter Login"), .init(tool: "bash", success: false, text: "LOGIN swift failed"),
    .init(tool: "deploy", text: "test swift"), .init(text: "bash", phrase: "login failed"), .init(tool: "nobody"),
    .init(text: "unheard"), .init(),
  ]

  static func passes(_ step: Step, _ filter: Step.Filter) -> Bool {
    func words(_ text: String) -> [String] {
      text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }
    let texts = [step.action, step.result, step.tool].compactMap { $0.map(words) }
    let hasText = words(filter.text ?? "").allSatisfy { word in texts.contains { $0.contains(word) } }
    let phrase = words(filter.phrase ?? "")
    let hasPhrase =
      phrase.isEmpty
      || texts.contains { text in text.indices.contains { text[$0...].starts(with: phrase) } }
    return (filter.tool ?? step.tool) == step.tool && (filter.success ?? step.success) == step.success && hasText
      && hasPhrase
  }

  static func passes(_ episode: Episode, _ filter: Step.Filter) -> Bool {
    episode.steps.contains { passes($0, filter) }
  }
}

@Suite struct `A filter by steps` {
  @Test func `lists exactly the episodes of which one step passes all of it, newest first`() async throws {
    let oracle = try await StepFilterOracle()
    for filter in StepFilterOracle.filters {
      for scope in [Query.Scope.everything, .domain("web")] {
        let expected = oracle.episodes.reversed().filter { episode in
          (scope == .everything || episode.domain == "web") && episode.status == .completed
            && StepFilterOracle.passes(episode, filter)
        }
        var found: [Episode.ID] = []
        var cursor: Episode.Page.Cursor?
        repeat {
          let page = try await oracle.memory.episodes(
            .init(statuses: [.completed], step: filter), in: scope, after: cursor, limit: 333, steps: .none)
          found += page.elements.map(\.id)
          cursor = page.next
        } while cursor != nil
        #expect(found == expected.map(\.id), "\(filter) \(scope)")
      }
    }
  }

  /// An exhaustive answer without the filter, filtered afterwards, is what the filter must give.
  @Test func `gives in recall by words what filtering an exhaustive answer gives, with the same scores`() async throws {
    let oracle = try await StepFilterOracle()
    // Signals by which episodes that do not pass move the others.
    let ranking = Query.Ranking(stepsTogetherWeight: 0, neighborWeight: 0, sessionWeight: 0, successWeight: 0)
    let byID = Dictionary(uniqueKeysWithValues: oracle.episodes.map { ($0.id, $0) })
    for scope in [Query.Scope.everything, .domain("mail")] {
      let all = try await oracle.memory.search(
        Query(text: "cache parser swift", scope: scope, limit: 1000, isExact: true, ranking: ranking))
      try #require(all.count == 1000 || scope != .everything)
      for filter in StepFilterOracle.filters {
        let expected = all.filter { hit in byID[hit.id].map { StepFilterOracle.passes($0, filter) } ?? false }
        for isExact in [false, true] {
          let query = Query(
            text: "cache parser swift", scope: scope, filter: .init(step: filter), limit: 20, isExact: isExact,
            ranking: ranking, steps: .none)
          let hits = try await oracle.memory.recall(query)
          #expect(
            zip(hits, expected).allSatisfy { hit, want in abs(hit.score - want.score) < 1e-6 }
              && hits.count
                >= min(20, expected.count),
            "\(filter) \(isExact)")
          let passing = hits.allSatisfy { hit in
            byID[hit.episode.id].map { StepFilterOracle.passes($0, filter) } ?? false
          }
          #expect(passing, "\(filter) \(isExact)")
          #expect(try await oracle.memory.search(query).map(\.id) == hits.map(\.episode.id))
        }
      }
    }
  }

  @Test func `gives in recall by vectors, and by both, what comparing every vector gives`() async throws {
    let oracle = try await StepFilterOracle()
    let vector: [Float] = [0.9, -0.2, 0.4, 0, 0.3, 0.1, -0.7, 0.2, 1]
    for filter in StepFilterOracle.filters {
      for text in [nil, "network problem"] as [String?] {
        var query = Query(
          text: text, vector: vector, scope: .domain("mail"), filter: .init(step: filter), limit: 15)
        let hits = try await oracle.memory.search(query)
        query.isExact = true
        let exact = try await oracle.memory.search(query)
        #expect(hits.map(\.id) == exact.map(\.id), "\(filter) \(text ?? "")")
      }
    }
  }

  @Test func `names in the hit the steps that passed, the last first`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("e", context: "the login test", steps: (1...9).map { "run number \($0)" })])
    let query = Query(
      text: "login", scope: .everything, filter: .init(step: .init(text: "run")), excerpts: true,
      ranking: .init(stepsPerEpisode: 2))
    for _ in 0..<2 {
      let matches = try #require(try await memory.recall(query).first).matches
      #expect(matches.map(\.step) == [nil, 9, 8])
      #expect(matches.last?.excerpt == "‹run› number 8")
    }
  }

  @Test func `answers in one call whether a command has failed before`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let episode = try await memory.begin(.init(.debugging, domain: "web", context: "the build"))
    try await memory.append(.init("swift test", result: "1 failure", tool: "bash", success: false), to: episode.id)
    let failed = try await memory.episodes(
      .init(step: .init(tool: "bash", success: false, text: "swift test")), in: .domain("web"))
    #expect(failed.elements.map(\.id) == [episode.id])
    let elsewhere = try await memory.episodes(.init(step: .init(text: "swift test")), in: .domain("mail"))
    #expect(elsewhere.elements.isEmpty)
  }

  @Test func `is part of what a cached result is found by, and is applied to a result that may be stale`() async throws
  {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("a", context: "login", steps: ["swift test"])])
    var query = Query(text: "login", scope: .everything, maximumStaleness: .seconds(3600))
    #expect(try await memory.recall(query).count == 1)
    query.filter.step = .init(success: false)
    #expect(try await memory.recall(query).isEmpty)
    query.filter.step = .init(text: "swift test")
    #expect(try await memory.recall(query).count == 1)
    try await memory.insert([.sample("a", context: "login", steps: ["git push"])], existing: .replace)
    #expect(try await memory.recall(query).isEmpty)
  }

  @Test(arguments: [
    Step.Filter(text: ""), .init(text: " -- "), .init(phrase: "…"),
    .init(text: (0..<65).map { "w\($0)" }.joined(separator: " ")),
  ])
  func `without a word in its text, or with too many, is refused`(_ filter: Step.Filter) async throws {
    let store = try Store()
    let memory = try await store.open()
    for call in [
      { _ = try await memory.episodes(.init(step: filter), in: .everything) },
      { _ = try await memory.recall(Query(text: "x", scope: .everything, filter: .init(step: filter))) },
    ] as [() async throws -> Void] {
      let error = await #expect(throws: MemoryError.self) { try await call() }
      #expect(error?.code == .invalid && error?.message.contains("step filter") == true)
    }
  }
}
