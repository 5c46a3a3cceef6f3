import EpisodicMemory
import TestSupport
import Testing

@testable import MemorySQLite

/// The rows that an episode keeps when it is replaced.
@Suite struct `A replaced episode` {
  private let bench: Bench
  private var memory: Memory { bench.memory }

  init() async throws {
    bench = try await Bench()
    let episode = Episode.sample("e", context: "context", steps: ["one", "two"])
    try await bench.memory.insert(
      [episode],
      embeddings: [
        .init(of: "e", content: "context", vector: [1, 0], model: "m"),
        .init(of: "e", content: "context, one and two", vector: [0, 1], model: "whole"),
        .init(of: "e", step: "e/1", content: "one", vector: [1, 1], model: "m"),
        .init(of: "e", step: "e/2", content: "two of context", vector: [2, 1], model: "m"),
      ])
  }

  @Test func `keeps every vector whose text is the same, though its steps are new rows`() async throws {
    let before = try await memory.embeddings(of: "e")
    let report = try await memory.insert([replacement()], existing: .replace)
    #expect(report.keptVectors == 4 && report.droppedVectors == 0 && report.vectors == 0)
    let after = try await memory.embeddings(of: "e")
    #expect(after.map(\.id) == before.map(\.id) && after.map(\.vector) == before.map(\.vector))
    #expect(after.map(\.stepID) == [nil, nil, "new/1", "new/2"])
    #expect(
      try await memory.recall(Query(vector: [1, 0], space: .init(model: "m", dimensions: 2), scope: .everything)).map(
        \.episode.id) == ["e"])
    for check in try await bench.primary.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test func `loses the vectors of changed texts, and reports their number`() async throws {
    let context = try await memory.insert([replacement(context: "other")], existing: .replace)
    #expect(context.keptVectors == 1 && context.droppedVectors == 3, "only the first step's is of text that stayed")
    #expect(try await memory.embeddings(of: "e").map(\.content) == ["one"])
    let step = try await memory.insert([replacement(context: "other", steps: ["uno", "two"])], existing: .replace)
    #expect(step.keptVectors == 0 && step.droppedVectors == 1)
  }

  @Test func `keeps no vector if the text is equal only after normalisation`() async throws {
    try await memory.insert(
      [.sample("f", context: "caf\u{E9}")],
      embeddings: [.init(of: "f", content: "caf\u{E9}", vector: [1, 0], model: "m")])
    let report = try await memory.insert([.sample("f", context: "cafe\u{301}")], existing: .replace)
    #expect(report.droppedVectors == 1)
  }

  @Test func `gets a new vector in place of the old one of its model, and keeps the others`() async throws {
    let new = Embedding.Draft(of: "e", content: "context", vector: [3, 4], model: "m")
    let report = try await memory.insert([replacement()], embeddings: [new], existing: .replace)
    #expect(report.vectors == 1 && report.keptVectors == 3 && report.droppedVectors == 0)
    let vectors = try await memory.embeddings(of: "e").filter { $0.stepID == nil && $0.model == "m" }
    #expect(vectors.map(\.vector) == [[3, 4]])
  }

  @Test func `refuses a vector of another length than those it keeps`() async throws {
    let long = Embedding.Draft(of: "e", content: "context", vector: [1, 2, 3], model: "m")
    let error = await #expect(throws: MemoryError.self) {
      try await memory.insert([replacement()], embeddings: [long], existing: .replace)
    }
    #expect(error?.code == .dimensionMismatch)
    #expect(try await memory.embeddings(of: "e").count == 4)
  }

  @Test func `stays linked to its patterns`() async throws {
    let pattern = try await memory.record(Pattern.Draft(.optimization, data: "x"))
    try await memory.link(pattern.id, to: "e")
    try await memory.insert([replacement(context: "other")], existing: .replace)
    #expect(try await memory.patterns(of: "e").map(\.id) == [pattern.id])
  }

  private func replacement(context: String = "context", steps: [String] = ["one", "two"]) -> Episode {
    var episode = Episode.sample("e", context: context)
    episode.steps = steps.enumerated().map { index, text in
      Step(
        id: Step.ID("new/\(index + 1)"), number: index + 1, action: text, success: true,
        timestamp: Timestamp(milliseconds: 1_767_225_600_000))
    }
    return episode
  }
}

@Suite struct `The report of an insertion` {
  @Test func `does not count steps and vectors of skipped episodes`() async throws {
    let memory = try await Bench().memory
    try await memory.insert([.sample("a", steps: ["1", "2", "3"])])
    let batch: [Episode] = [.sample("a", steps: ["1"]), .sample("b", steps: ["1", "2"]), .sample("b", steps: ["1"])]
    let report = try await memory.insert(
      batch,
      embeddings: [
        .init(of: "a", content: "", vector: [1], model: "m"), .init(of: "b", content: "", vector: [1], model: "m"),
      ], existing: .skip)
    #expect(report.episodes == 1 && report.steps == 2 && report.vectors == 1)
  }

  @Test(arguments: [1, 2, 7, 100]) func `agrees with pages in the order of recording, which list every episode once`(
    limit: Int
  )
    async throws
  {
    let bench = try await Bench()
    try await bench.memory.insert((0..<7).map { .sample(Episode.ID("e\($0)"), at: 1_767_225_600_000 - Int64($0 / 2)) })
    try await bench.memory.insert([.sample("e3", context: "new")], existing: .replace)
    var ids: [Episode.ID] = []
    var cursor: Episode.Page.Cursor?
    repeat {
      let page = try await bench.primary.episodesAsRecorded(after: cursor, limit: limit)
      ids += page.elements.map(\.id)
      cursor = page.next
    } while cursor != nil
    #expect(ids == (0..<7).map { Episode.ID("e\($0)") })
  }
}
