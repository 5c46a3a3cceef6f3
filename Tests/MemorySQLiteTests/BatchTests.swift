import EpisodicMemory
import GRDB
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `Writing together` {
  private struct Abandoned: Error, Equatable { let reason = "the agent gave up" }

  @Test func `every verb of a batch is in one commit, and each sees what those before it wrote`() async throws {
    let bench = try await Bench()
    let memory = bench.memory
    try await memory.insert([.sample("old", steps: ["one"]), .sample("gone"), .sample("put away")])
    let before = try await memory.statistics().primary.watermark.revision
    let id = try await memory.write { batch in
      let begun = try batch.begin(.init(.testing, domain: "swift", context: "make it pass"))
      try batch.append(Step.Draft("swift build", success: true), to: begun.id)
      let more = try batch.append([Step.Draft("swift test", success: false), Step.Draft("think")], to: begun.id)
      #expect(more.map(\.number) == [2, 3])
      #expect(try batch.episode(begun.id)?.steps.count == 3)
      #expect(try batch.complete(begun.id).successRate == 0.5)
      try batch.update(begun.id, with: .init(context: "make all pass"))
      try batch.reopen("old")
      try batch.fail("old", successRate: 0)
      try batch.delete("gone")
      #expect(try batch.episode("gone") == nil)
      try batch.archive("put away")
      try batch.insert([.sample("imported")])
      let pattern = try batch.record(Pattern.Draft(.optimization, data: ["x": 1]))
      try batch.link(pattern.id, to: begun.id)
      #expect(try batch.markUsed(pattern.id, succeeded: true).usageCount == 1)
      try batch.embed(.init(of: begun.id, content: "c", vector: [1, 0], model: "m"))
      let vectors = try batch.embed([.init(of: "imported", content: "c", vector: [0, 1], model: "m")])
      try batch.delete(embedding: vectors[0].id)
      try batch.unlink(pattern.id, from: begun.id)
      try batch.link(pattern.id, to: "imported")
      return begun.id
    }
    let written = try #require(try await memory.episode(id))
    #expect(written.context == "make all pass" && written.status == .completed && written.steps.count == 3)
    #expect(try await memory.episode("old")?.status == .failed)
    #expect(try await memory.episode("gone") == nil)
    #expect(try await memory.episode("put away")?.status == .archived)
    #expect(try await memory.patterns(of: "imported").map(\.usageCount) == [1])
    #expect(try await memory.patterns(of: id).isEmpty)
    #expect(try await memory.embeddings(of: id).count == 1)
    #expect(try await memory.embeddings(of: "imported").isEmpty)
    #expect(try await memory.recall(Query(text: "all pass", scope: .everything)).map(\.episode.id).contains(id))
    #expect(try await memory.statistics().primary.watermark.revision > before)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test func `a body that throws undoes all of its batch and nothing of the calls that share its commit`() async throws
  {
    let bench = try await Bench(durability: .full)
    let memory = bench.memory
    try await memory.insert([.sample("shared", status: .active)])
    let outcomes = await withTaskGroup(of: (Int, MemoryError?).self) { group in
      for number in 0..<48 {
        group.addTask {
          guard number.isMultiple(of: 3) else {
            return (number, await failure { try await memory.append(Step.Draft("step"), to: "shared") })
          }
          return (
            number,
            await failure {
              try await memory.write { batch in
                try batch.begin(.init(.testing, domain: "d", context: "", id: Episode.ID("e\(number)")))
                try batch.append(Step.Draft("from a batch"), to: "shared")
                if number.isMultiple(of: 2) { throw MemoryError(.invalid, "abandoned") }
              }
            }
          )
        }
      }
      return await group.reduce(into: [Int: MemoryError?]()) { $0[$1.0] = $1.1 }
    }
    for (number, error) in outcomes { #expect(error?.code == (number.isMultiple(of: 6) ? .invalid : nil)) }
    #expect(try await memory.episodes(in: .domain("d")).elements.count == 8)
    #expect(try await memory.episode("shared")?.steps.map(\.number) == Array(1...40))
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test func `an error of the caller's own abandons the batch and is the cause of what is thrown`() async throws {
    let memory = try await Bench().memory
    let error = await failure {
      try await memory.write { batch in
        try batch.begin(.init(.testing, domain: "d", context: ""))
        throw Abandoned()
      }
    }
    #expect(error?.code == .abandoned && error?.cause as? Abandoned == Abandoned())
    #expect(try await memory.episodes(in: .everything).elements.isEmpty)
  }

  @Test func `a body that catches a refusal goes on, and what it wrote before and after is kept`() async throws {
    let memory = try await Bench().memory
    try await memory.insert([.sample("taken"), .sample("ended")])
    let codes = try await memory.write { batch in
      var codes: [MemoryError.Code] = []
      func noting(_ verb: () throws -> Void) throws {
        do { try verb() } catch let error as MemoryError { codes.append(error.code) }
      }
      try batch.begin(.init(.testing, domain: "d", context: "", id: "first"))
      try noting { try batch.begin(.init(.testing, domain: "d", context: "", id: "taken")) }
      try noting { try batch.append(Step.Draft("x"), to: "ended") }
      try noting { try batch.complete("missing") }
      try noting { try batch.complete("first", successRate: 2) }
      try noting { try batch.embed(.init(of: "missing", content: "", vector: [1], model: "m")) }
      try batch.begin(.init(.testing, domain: "d", context: "", id: "last"))
      return codes
    }
    #expect(codes == [.conflict, .conflict, .notFound, .invalid, .notFound])
    #expect(try await memory.episodes(in: .domain("d")).elements.map(\.id) == ["last", "first"])
  }

  /// The rows that a verb wrote before it failed must not be committed.
  @Test func `a body cannot commit what a verb wrote before it failed`() async throws {
    let memory = try await Bench().memory
    try await memory.insert([.sample("e")])
    try await memory.embed(.init(of: "e", content: "", vector: [1, 0], model: "m"))
    let error = await failure {
      try await memory.write { batch in
        try batch.begin(.init(.testing, domain: "d", context: "", id: "before"))
        let late = Embedding.Draft(of: "half", content: "", vector: [1], model: "m")
        do { try batch.insert([.sample("half", domain: "d")], embeddings: [late]) } catch {}
        do { try batch.begin(.init(.testing, domain: "d", context: "", id: "after")) } catch {}
      }
    }
    #expect(error?.code == .dimensionMismatch)
    #expect(try await memory.episodes(in: .domain("d")).elements.isEmpty)
  }

  @Test func `a body that is run a second time, because another call of the group failed, writes once`() async throws {
    let bench = try await Bench(durability: .full)
    let memory = bench.memory
    try await memory.insert([.sample("e", status: .active)])
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<64 {
        group.addTask {
          _ = await failure {
            try await memory.write { batch in
              try batch.append(Step.Draft("\(number)"), to: "e")
              if number.isMultiple(of: 8) { throw MemoryError(.invalid, "no") }
            }
          }
        }
      }
    }
    let steps = try #require(try await memory.episode("e")).steps
    #expect(steps.map(\.number) == Array(1...56) && Set(steps.map(\.action)).count == 56)
  }
}
