import EpisodicMemory
import Foundation
import Logging
import MemorySQLite
import Vectors
import TestSupport
import Testing

/// Where a primary keeps its rows.
enum Backend: CaseIterable {
  case file, memory
}

/// A memory over a SQLite primary, in its own directory or in memory, without a cache.
struct Bench {
  let directory: TemporaryDirectory
  let primary: SQLitePrimaryStore
  let memory: Memory
  let clock = ManualClock()

  init(_ backend: Backend = .file, durability: Memory.Durability = .normal) async throws {
    directory = try TemporaryDirectory()
    let logger = Logger(label: "test")
    primary =
      switch backend {
      case .file:
        try await SQLitePrimaryStore(
          path: directory.file("memory.sqlite"), durability: durability, clock: clock, logger: logger)
      case .memory: try await SQLitePrimaryStore(inMemoryWith: logger, clock: clock)
      }
    memory = Memory(
      primary: primary, cache: NoCache(because: "a test of the primary"),
      clock: ClockOfBench(clock: clock, directory: directory))
  }
}

/// Keeps the files of a bench while its memory is in use: a store whose files are deleted refuses to continue.
private struct ClockOfBench: WallClock {
  let clock: ManualClock
  let directory: TemporaryDirectory

  func now() -> Timestamp { clock.now() }
}

@Suite struct `Recall by words` {
  @Test func `a word of the context or of a step finds the episode, and the hit names the place`() async throws {
    let bench = try await Bench()
    try await bench.memory.insert([
      .sample("a", context: "repair the login form", steps: ["swift test", "grep timeout"]),
      .sample("b", context: "write release notes", steps: ["git log"]),
    ])
    let byContext = try await bench.memory.recall(Query(text: "logins", scope: .everything, excerpts: true))
    #expect(byContext.map(\.episode.id) == ["a"])
    #expect(byContext.first?.matches == [Hit.Match(step: nil, excerpt: "repair the ‹login› form")])
    let byStep = try await bench.memory.recall(
      Query(text: "what about the timeouts", scope: .everything, excerpts: true))
    #expect(byStep.first?.matches == [Hit.Match(step: 2, excerpt: "grep ‹timeout›")])
    let plain = try await bench.memory.recall(Query(text: "timeouts login", scope: .everything))
    #expect(plain.first?.matches == [Hit.Match(step: nil), Hit.Match(step: 2)])
  }

  @Test(arguments: ["caf\u{E9}", "cafe\u{301}", "\u{1100}\u{1161}", "\u{AC00}"])
  func `composed and decomposed spellings find each other`(_ word: String) async throws {
    let bench = try await Bench()
    try await bench.memory.insert([
      .sample("composed", context: word.precomposedStringWithCanonicalMapping),
      .sample("decomposed", context: word.decomposedStringWithCanonicalMapping),
    ])
    let hits = try await bench.memory.recall(Query(text: word, scope: .everything))
    #expect(Set(hits.map(\.episode.id)) == ["composed", "decomposed"])
    let prefixed = try await bench.memory.recall(Query(prefixes: [word], scope: .everything))
    #expect(Set(prefixed.map(\.episode.id)) == ["composed", "decomposed"])
  }
}

extension `Recall by words` {
  @Test(arguments: [
    #"" OR 1=1 --"#, "NEAR(a b)", "context:secret", "a AND NOT b OR", "*", "^start", #""""#, "a-b:c*^(d)", "{a b}: c",
    "\\", "'; DROP TABLE steps; --",
    "col : \"x", "AND", "+ - ~", "((((((", "NOT", "a NEAR/2 b", "\u{FEFF}\u{200B}", "x\u{0301}\u{0301}",
    String(repeating: "\"", count: 999), "🧨",
  ])
  func `what looks like query syntax is words or nothing, never an error of the index`(_ text: String) async throws {
    let bench = try await Bench()
    try await bench.memory.insert([.sample("e", context: "secret start near a and b or not drop table")])
    do throws(MemoryError) {
      _ = try await bench.memory.recall(Query(text: text, scope: .everything))
    } catch {
      #expect(error.code == .invalid && error.message.contains("no word"))
    }
    _ = try? await bench.memory.recall(Query(phrases: [text], prefixes: [text], scope: .everything))
  }

  @Test func `a phrase must occur verbatim and a prefix must begin a word; words only add to the score`() async throws {
    let bench = try await Bench()
    let memory = bench.memory
    try await memory.insert([
      .sample("a", context: "connection reset by peer"), .sample("b", context: "peer connection was reset"),
      .sample("c", context: "migration of the schema"),
    ])
    func ids(_ query: Query) async throws -> [Episode.ID] { try await memory.recall(query).map(\.episode.id) }
    #expect(try await ids(Query(phrases: ["Connection Reset"], scope: .everything)) == ["a"])
    #expect(try await ids(Query(prefixes: ["migr"], scope: .everything)) == ["c"])
    #expect(try await ids(Query(text: "peer schema", phrases: ["connection reset"], scope: .everything)) == ["a"])
    #expect(try await ids(Query(phrases: ["connection reset"], prefixes: ["migr"], scope: .everything)).isEmpty)
    #expect(Set(try await ids(Query(text: "resets", scope: .everything))) == ["a", "b"])
  }

  @Test func `nothing of another domain is found, even if it matches best`() async throws {
    let bench = try await Bench()
    let memory = bench.memory
    try await memory.insert([
      .sample("mine", domain: "mine", context: "token"),
      .sample("theirs", domain: "theirs", context: "token token secret"),
    ])
    for text in ["token", "secret"] {
      let hits = try await memory.recall(Query(text: text, scope: .domain("mine")))
      #expect(hits.allSatisfy { $0.episode.domain == "mine" })
    }
    #expect(try await memory.recall(Query(text: "token", scope: .everything)).count == 2)
  }

  @Test func `active and archived episodes are recalled on request only`() async throws {
    let bench = try await Bench()
    let memory = bench.memory
    try await memory.insert(
      Episode.Status.allCases.map { .sample(Episode.ID($0.rawValue), context: "token", status: $0) })
    func ids(_ statuses: Set<Episode.Status>?) async throws -> Set<String> {
      Set(
        try await memory.recall(Query(text: "token", scope: .everything, filter: .init(statuses: statuses))).map(
          \.episode.id.rawValue))
    }
    #expect(try await ids(nil) == ["completed", "failed"])
    #expect(try await ids([.active, .archived]) == ["active", "archived"])
  }

  @Test(arguments: [
    Query.Ranking(stepsPerEpisode: -1), Query.Ranking(stepWeight: .nan), Query.Ranking(stepWeight: -1),
    Query.Ranking(vectorWeight: 1.5),
    Query.Ranking(vectorWeight: .nan), Query.Ranking(depth: -5), Query.Ranking(stepsPerEpisode: .max),
  ])
  func `a ranking that makes no sense is refused`(_ ranking: Query.Ranking) async throws {
    let bench = try await Bench()
    let memory = bench.memory
    try await memory.insert([.sample("e", context: "token", steps: ["token"])])
    await #expect(throws: MemoryError.self) {
      try await memory.recall(Query(text: "token", scope: .everything, ranking: ranking))
    }
  }

  @Test(arguments: [0, -1, 1001]) func `a limit outside 1 to 1,000 is refused`(_ limit: Int) async throws {
    let bench = try await Bench()
    let memory = bench.memory
    await #expect(throws: MemoryError.self) {
      try await memory.recall(Query(text: "x", scope: .everything, limit: limit))
    }
  }
}

@Suite struct `Recall by vectors` {
  @Test(arguments: [Metric.cosine, .dotProduct, .euclidean], [1, 2] as [UInt64])
  func `episodes are ordered by the metric over the best vector of each`(
    _ metric: Metric, _ seed: UInt64
  ) async throws {
    let bench = try await Bench()
    let memory = bench.memory
    var generator = SeededGenerator(seed: seed)
    func vector() -> [Float] { (0..<8).map { _ in Float.random(in: -1...1, using: &generator) } }
    try await memory.insert(
      (0..<40).map { .sample(Episode.ID("e\($0)"), domain: $0.isMultiple(of: 2) ? "even" : "odd") })
    var vectors: [Episode.ID: [[Float]]] = [:]
    for index in 0..<80 {
      let id = Episode.ID("e\(index % 40)"), values = vector()
      vectors[id, default: []].append(values)
      try await memory.embed(.init(of: id, content: "", vector: values, model: "m"))
    }
    let question = vector()
    func likeness(_ a: [Float]) -> Double {
      let dot = zip(a, question).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let norm = { (v: [Float]) in v.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }
      return switch metric {
      case .cosine: dot / norm(a) / norm(question)
      case .dotProduct: dot
      case .euclidean: -zip(a, question).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
      }
    }
    let oracle = vectors.mapValues { $0.map(likeness).max() ?? 0 }
    let space = EmbeddingSpace(model: "m", dimensions: 8, metric: metric)
    let all = try await memory.recall(Query(vector: question, space: space, scope: .everything, limit: 40))
    #expect(all.map(\.episode.id) == oracle.sorted { $0.value > $1.value }.map(\.key))
    let even = try await memory.recall(Query(vector: question, space: space, scope: .domain("even"), limit: 5))
    #expect(even.map(\.episode.id) == all.filter { $0.episode.domain == "even" }.prefix(5).map(\.episode.id))
  }

  /// I8: the models of other domains do not affect a query.
  @Test func `a query vector belongs to the space of its scope, independent of the models of other domains`()
    async throws
  {
    let bench = try await Bench()
    let memory = bench.memory
    try await memory.insert([.sample("mine", domain: "mine"), .sample("theirs", domain: "theirs")])
    try await memory.embed(.init(of: "mine", content: "", vector: [1, 0], model: "m"))
    try await memory.embed(.init(of: "theirs", content: "", vector: [1, 0], model: "secret"))
    #expect(try await memory.recall(Query(vector: [1, 0], scope: .domain("mine"))).map(\.episode.id) == ["mine"])
    await #expect { try await memory.recall(Query(vector: [1, 0], scope: .everything)) } throws: {
      ($0 as? MemoryError)?.message.contains("name the model") == true
    }
    await #expect { try await memory.recall(Query(vector: [1], scope: .domain("mine"))) } throws: {
      ($0 as? MemoryError)?.message.contains("secret") == false
    }
  }

  @Test func `words and vectors together rank first what either alone ranks second`() async throws {
    let bench = try await Bench()
    let memory = bench.memory
    try await memory.insert([
      .sample("words", context: "login timeout"), .sample("both", context: "login screen"),
      .sample("vector", context: "unrelated"),
    ])
    // A word in half of the episodes has a bm25 weight of about 0.
    try await memory.insert((0..<10).map { .sample(Episode.ID("filler\($0)"), context: "something else") })
    for (id, vector) in [("words", [0, 1]), ("both", [0.9, 0.1]), ("vector", [1, 0])] as [(Episode.ID, [Float])] {
      try await memory.embed(.init(of: id, content: "", vector: vector, model: "m"))
    }
    let hits = try await memory.recall(Query(text: "login timeout", vector: [1, 0], scope: .everything))
    #expect(hits.first?.episode.id == "both")
    for hit in hits { #expect(abs(hit.score - hit.shares.total) < 1e-12) }
  }
}
