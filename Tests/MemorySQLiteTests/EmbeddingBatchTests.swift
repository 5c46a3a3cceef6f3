import EpisodicMemory
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `Batches of rows` {
  @Test(arguments: [1, 31, 32, 33, 100]) func `keep the values and the order of vectors`(_ count: Int) async throws {
    let bench = try await Bench()
    let primary = bench.primary
    _ = try await primary.insert([.sample("a", steps: ["s"]), .sample("b")], embeddings: [], existing: .fail)
    let vectors = (0..<count).map { index in
      Embedding(
        id: Embedding.ID("m\(index)"), episodeID: index.isMultiple(of: 3) ? "a" : "b",
        stepID: index.isMultiple(of: 6) ? "a/1" : nil, content: index.isMultiple(of: 2) ? "" : "content \(index)",
        vector: [Float(index), -1.5, .leastNonzeroMagnitude], model: "m",
        createdAt: Timestamp(milliseconds: Int64(index)))
    }
    try await primary.insert(vectors, replacing: false)
    #expect(try await primary.embeddings(of: "a") == vectors.filter { $0.episodeID == "a" })
    #expect(try await primary.embeddings(of: "b") == vectors.filter { $0.episodeID == "b" })
    let version = try await primary.episode("b", steps: .all).value?.embeddingVersion
    #expect(version == Int64(vectors.count { $0.episodeID == "b" }))
  }

  static let refusals: [(last: Embedding, code: MemoryError.Code)] = [
    (.sample("x", of: "nobody"), .notFound), (.sample("x", of: "b", step: "a/1"), .notFound),
    (.sample("x", of: "a", step: "nothing"), .notFound), (.sample("x", of: "a", [1]), .dimensionMismatch),
    (.sample("m3", of: "a"), .conflict),
  ]

  @Test(arguments: refusals.indices, [false, true]) func `of vectors are inserted completely or not at all`(
    _ index: Int, _ replacing: Bool
  ) async throws {
    let bench = try await Bench()
    let primary = bench.primary
    _ = try await primary.insert(
      [.sample("a", steps: ["s"]), .sample("b")], embeddings: [.sample("old", of: "a")], existing: .fail)
    let before = try await primary.statistics().watermark
    let batch = (0..<40).map { Embedding.sample(Embedding.ID("m\($0)"), of: "a") } + [Self.refusals[index].last]
    await #expect { try await primary.insert(batch, replacing: replacing) } throws: {
      ($0 as? MemoryError)?.code == Self.refusals[index].code
    }
    #expect(try await primary.embeddings(of: "a").map(\.id) == ["old"])
    #expect(try await primary.statistics().watermark == before)
  }

  @Test func `have vectors of one length per model, even if the model is new`() async throws {
    let bench = try await Bench()
    let primary = bench.primary
    _ = try await primary.insert([.sample("a")], embeddings: [], existing: .fail)
    await #expect(throws: MemoryError.self) {
      try await primary.insert([.sample("1", of: "a", [1]), .sample("2", of: "a", [1, 2])], replacing: false)
    }
  }

  @Test func `that replace delete only earlier vectors of the same episode, step and model`()
    async throws
  {
    let bench = try await Bench()
    let primary = bench.primary
    _ = try await primary.insert(
      [.sample("a", steps: ["s"]), .sample("b")],
      embeddings: [
        .sample("a0", of: "a"), .sample("s0", of: "a", step: "a/1"), .sample("b0", of: "b"),
        .sample("o0", of: "a").with(model: "o"),
      ], existing: .fail)
    try await primary.insert([.sample("a1", of: "a"), .sample("a2", of: "a")], replacing: true)
    #expect(try await primary.embeddings(of: "a").map(\.id) == ["s0", "o0", "a1", "a2"])
    #expect(try await primary.embeddings(of: "b").map(\.id) == ["b0"])
  }

  @Test func `that replace every vector of a model may change their length`() async throws {
    let bench = try await Bench()
    let primary = bench.primary
    _ = try await primary.insert([.sample("a")], embeddings: [.sample("old", of: "a")], existing: .fail)
    try await primary.insert([.sample("new", of: "a", [1, 2, 3])], replacing: true)
    #expect(try await primary.embeddings(of: "a").map(\.vector) == [[1, 2, 3]])
  }

  @Test func `of episodes keep the rows of replaced ones beside new ones and duplicates`() async throws {
    let bench = try await Bench()
    _ = try await bench.primary.insert((0..<5).map { .sample(Episode.ID("e\($0)")) }, embeddings: [], existing: .fail)
    let batch: [Episode] = [
      .sample("n0"), .sample("e4", context: "new"), .sample("n1"), .sample("e3", context: "first"),
      .sample("e3", context: "second", steps: ["s"]), .sample("n0", context: "twin"),
    ]
    let vectors: [Embedding] = [.sample("v", of: "e4")]
    #expect(try await bench.primary.insert(batch, embeddings: vectors, existing: .replace).episodes == 6)
    let page = try await bench.primary.episodes(.init(), in: .everything, after: nil, limit: 10, steps: .all)
    #expect(page.elements.map(\.id) == ["n1", "n0", "e4", "e3", "e2", "e1", "e0"])
    #expect(page.elements.map(\.context).prefix(4) == ["make the flaky test pass", "twin", "new", "second"])
    #expect(try await bench.primary.embeddings(of: "e4").map(\.id) == ["v"])
    for check in try await bench.primary.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test func `are found by the same words after the text indexes were merged`() async throws {
    let bench = try await Bench()
    for index in 0..<5 {
      _ = try await bench.primary.insert(
        [.sample(Episode.ID("e\(index)"), context: "word\(index) common", steps: ["step\(index)"])], embeddings: [],
        existing: .fail)
    }
    try await bench.primary.optimizeTextIndexes()
    #expect(try await bench.memory.recall(Query(text: "common", scope: .everything)).count == 5)
    #expect(try await bench.memory.recall(Query(text: "step3", scope: .everything)).map(\.episode.id) == ["e3"])
    for check in try await bench.primary.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }
}
