import Episodic
import Foundation
import Logging
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `A store in memory` {
  @Test func `answers as one in files does`() async throws {
    let store = try Store()
    let (clock, stored) = (ManualClock(), try await store.open())
    let volatile = try await Memory.inMemory(clock: clock)
    var answers: [[String]] = []
    for memory in [stored, volatile] {
      try await memory.insert(
        (0..<20).map { number in
          .sample(
            Episode.ID("e\(number)"), domain: number.isMultiple(of: 2) ? "even" : "odd", context: "task \(number)",
            steps: ["run command\(number)"])
        },
        embeddings: (0..<20).map {
          .init(of: Episode.ID("e\($0)"), content: "", vector: [1, Float($0), 3], model: "m")
        })
      let hits = try await memory.recall(Query(text: "command3 command7", scope: .domain("odd"), excerpts: true))
      let near = try await memory.search(Query(vector: [1, 5, 3], scope: .everything, limit: 5))
      let page = try await memory.episodes(.init(), in: .domain("even"), limit: 4)
      answers.append([
        hits.map { "\($0.episode.id) \($0.matches)" }.joined(), near.map { "\($0.id)" }.joined(),
        page.elements.map { "\($0.id)" }.joined(),
      ])
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    }
    #expect(answers[0] == answers[1])
    try await stored.close()
  }

  @Test func `takes its times from the clock and its limits from the caller`() async throws {
    let clock = ManualClock()
    let memory = try await Memory.inMemory(clock: clock, limits: .init(fieldBytes: 100))
    #expect(try await memory.begin(.init(.testing, domain: "d", context: "short")).createdAt == clock.now())
    await #expect(throws: MemoryError.self) {
      try await memory.begin(.init(.testing, domain: "d", context: String(repeating: "long ", count: 21)))
    }
  }

  @Test func `is a store of its own, and gone with its last reference`() async throws {
    weak var database: AnyObject?
    do {
      let one = try await SQLitePrimaryStore(inMemoryWith: .init(label: "test"))
      let other = try await Memory.inMemory()
      try await one.insert(.sample("e"))
      #expect(try await other.episode("e") == nil)
      database = one.database
      #expect(database != nil)
    }
    // The thread that did the last work may still be letting go of it.
    try await waitUntil("the database is gone") { database == nil }
  }

  @Test func `refuses every verb after it was closed`() async throws {
    let memory = try await Memory.inMemory()
    try await memory.close()
    try await memory.close()
    await #expect(throws: MemoryError.self) { try await memory.episode("e") }
    await #expect(throws: MemoryError.self) { try await memory.begin(.init(.testing, domain: "d", context: "x")) }
  }

  @Test func `a hundred writers at once lose nothing`() async throws {
    let memory = try await Memory.inMemory()
    let episode = try await memory.begin(.init(.testing, domain: "d", context: "x"))
    await withThrowingTaskGroup { group in
      for writer in 0..<100 {
        group.addTask { _ = try await memory.append(Step.Draft("of \(writer)"), to: episode.id) }
      }
    }
    #expect(try await memory.episode(episode.id)?.steps.map(\.number) == Array(1...100))
  }
}
