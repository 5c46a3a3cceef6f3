import Episodic
import TestSupport
import Testing

/// `Memory.explain`: why a query has its hits, and not others.
@Suite struct `An explanation` {
  private func withMemory(
    _ body: (Memory) async throws -> Void, _ episodes: [Episode]
  ) async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert(episodes)
      try await body(memory)
    }
  }

  private static let episodes: [Episode] = [
    .sample(
      "login", domain: "web", context: "The login page times out", steps: ["retry the login", "raise the timeout"]),
    .sample("form", domain: "web", context: "The login form rejects passwords", status: .failed),
    .sample("lint", domain: "web", context: "Bump eslint", steps: ["npm install"]),
    .sample("running", domain: "web", context: "login", status: .active),
    .sample("secret", domain: "bank", context: "The login page times out"),
  ]

  @Test func `has the hits of recall in their order, with the same scores and shares`() async throws {
    try await withMemory(
      { memory in
        for query in [
          Query(text: "login page timeout", scope: .domain("web")), Query(text: "retry eslint", scope: .everything),
          Query(text: "login", phrases: ["times out"], scope: .everything, limit: 1),
        ] {
          let hits = try await memory.recall(query)
          let explanation = try await memory.explain(query)
          #expect(!hits.isEmpty && explanation.hits.map(\.id) == hits.map(\.episode.id))
          #expect(explanation.hits.map(\.score) == hits.map(\.score))
          #expect(explanation.hits.map(\.shares) == hits.map(\.shares))
          #expect(explanation.hits.map(\.rank) == hits.indices.map { $0 + 1 })
        }
      }, Self.episodes)
  }

  @Test func `counts each term in the scope, and names the words that nothing has`() async throws {
    try await withMemory(
      { memory in
        let query = Query(text: "login zebra eslint", prefixes: ["time"], scope: .domain("web"))
        let explanation = try await memory.explain(query)
        #expect(explanation.terms.map(\.text) == ["login", "eslint", "time"])
        #expect(explanation.terms.map(\.contexts) == [2, 1, 1])
        #expect(explanation.terms.map(\.steps) == [1, 0, 1])
        #expect(explanation.unknown == ["zebra"])
        let share = explanation.terms.reduce(0) { $0 + $1.share }
        #expect(share > 0 && share < 1)
      }, Self.episodes)
  }

  @Test func `has the signals of an episode and the terms that it has and lacks`() async throws {
    try await withMemory(
      { memory in
        let explanation = try await memory.explain(Query(text: "login timeout eslint", scope: .domain("web")))
        let entry = try #require(explanation.hits.first { $0.id == "login" })
        #expect(entry.signals.context > 0 && entry.signals.together > 0 && entry.signals.success == 1)
        #expect(Set(entry.signals.steps.map(\.step)) == [1, 2])
        #expect(entry.signals.similarity == nil && !entry.signals.isInWindow)
        #expect(Set(entry.matched) == ["login", "timeout"] && entry.missing == ["eslint"])
      }, Self.episodes)
  }

  @Test func `says of an episode that is no hit why`() async throws {
    let web = Query(text: "login page", scope: .domain("web"), limit: 1)
    func filtered(_ filter: Episode.Filter) -> Query { Query(text: "login", scope: .domain("web"), filter: filter) }
    let cases: [(id: Episode.ID, query: Query, reason: RecallExplanation.Reason)] = [
      ("login", web, .found), ("form", web, .beyondLimit), ("lint", web, .noMatch), ("nobody", web, .notInScope),
      ("running", web, .filtered(["status"])),
      ("form", Query(text: "login page", scope: .domain("web"), minimumScore: 1), .belowMinimumScore),
      (
        "form", filtered(.init(taskType: .testing, after: Timestamp(milliseconds: .max))),
        .filtered(["task_type", "after"])
      ),
      ("form", filtered(.init(step: .init(text: "retry"))), .filtered(["step"])),
      ("form", Query(text: "login", phrases: ["page times"], scope: .domain("web")), .lacksRequired),
    ]
    try await withMemory(
      { memory in
        for (id, query, reason) in cases {
          let explanation = try await memory.explain(query, whyNot: [id])
          #expect(explanation.fates.map(\.reason) == [reason], "\(id) \(query)")
        }
      }, Self.episodes)
  }

  @Test func `gives an episode that was not compared the score that it would have`() async throws {
    let many = (0..<30).map {
      Episode.sample(Episode.ID("e\($0)"), context: "login page \(String(repeating: "x ", count: $0))")
    }
    try await withMemory(
      { memory in
        var query = Query(text: "login page", scope: .everything, limit: 5)
        query.ranking.depth = 5
        let explanation = try await memory.explain(query, whyNot: ["e20"])
        let fate = try #require(explanation.fates.first)
        #expect(fate.reason == .beyondDepth && fate.entry?.rank == nil)
        query.limit = 30
        let all = try await memory.recall(query)
        #expect(fate.entry?.score == all.first { $0.episode.id == "e20" }?.score)
      }, many)
  }

  /// I8
  @Test func `names no embedding space that only another domain has`() async throws {
    try await withMemory(
      { memory in
        _ = try await memory.embed(
          Embedding.Draft(of: "secret", content: "x", vector: [1, 0], model: "bank model"))
        let query = Query(text: "login", vector: [1, 0], scope: .domain("web"))
        #expect(try await memory.explain(query).space == nil)
        #expect(try await memory.explain(Query(vector: [1, 0], scope: .everything)).space?.model == "bank model")
      }, Self.episodes)
  }

  @Test func `says nothing of an episode in another domain`() async throws {
    try await withMemory(
      { memory in
        let query = Query(text: "login page", scope: .domain("web"))
        let explanation = try await memory.explain(query, whyNot: ["secret", "nobody"])
        #expect(
          explanation.fates == [
            RecallExplanation.Fate(id: "secret", reason: .notInScope),
            RecallExplanation.Fate(id: "nobody", reason: .notInScope),
          ])
      }, Self.episodes)
  }

  @Test func `names the times of the question, an event's too`() async throws {
    let day: Int64 = 86_400_000, start: Int64 = 1_767_225_600_000
    try await withMemory(
      { memory in
        let query = Query(
          text: "what did we deploy two days after we met Alice", scope: .everything,
          askedAt: Timestamp(milliseconds: start + 20 * day))
        let explanation = try await memory.explain(query)
        let window = try #require(explanation.windows.first)
        #expect(
          window.from <= Timestamp(milliseconds: start + 7 * day)
            && window.until > Timestamp(milliseconds: start + 7 * day))
        #expect(explanation.hits.first { $0.id != "met" }?.id == "after")
        #expect(explanation.hits.filter(\.signals.isInWindow).map(\.id) == ["after"])
      },
      [
        .sample("met", context: "we met Alice at the fair", at: start + 5 * day),
        .sample("before", context: "deploy the api", at: start + 2 * day),
        .sample("after", context: "deploy the shop", at: start + 7 * day),
        .sample("later", context: "deploy the blog", at: start + 12 * day),
      ])
  }
}
