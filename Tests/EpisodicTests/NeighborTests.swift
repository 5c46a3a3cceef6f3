import Episodic
import Foundation
import TestSupport
import Testing

@Suite struct `Neighbours of a hit` {
  private func ids(_ neighbors: Hit.Neighbors) -> [[String]] {
    [neighbors.before.map(\.id.rawValue), neighbors.after.map(\.id.rawValue)]
  }

  /// I8
  @Test(arguments: [1, 2, 3] as [UInt64])
  func `are those before and after it in its session by time, of its domain`(_ seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let memory = try await Memory.inMemory()
    var recorded: [Episode] = []
    for number in 0..<120 {
      // Few times, so that many are equal: then the order of recording decides.
      var episode = Episode.sample(
        Episode.ID("e\(number)"), domain: "d\(Int.random(in: 0..<2, using: &random))",
        context: Int.random(in: 0..<6, using: &random) == 0 ? "needle" : "hay",
        status: [.completed, .failed, .active, .archived].randomElement(using: &random) ?? .completed,
        steps: ["look"], at: 1_767_225_600_000 + Int64.random(in: 0..<20, using: &random))
      episode.session = [nil, "s", "t"].randomElement(using: &random) ?? nil
      recorded.append(episode)
    }
    try await memory.insert(recorded)
    for (scope, count) in [(Query.Scope.everything, 2), (.domain("d0"), 1), (.domain("d1"), 10)] {
      let query = Query(text: "needle", scope: scope, limit: 1000)
      let hits = try await memory.recall(query, neighbors: count)
      #expect(try await hits.map(\.episode.id) == memory.recall(query).map(\.episode.id))
      #expect(hits.contains { !$0.neighbors.isEmpty })
      for hit in hits {
        guard let session = hit.episode.session else {
          #expect(hit.neighbors.isEmpty)
          continue
        }
        let order = recorded.enumerated().filter { _, other in
          other.session == session && other.domain == hit.episode.domain
            && [.completed, .failed].contains(other.status)
        }.sorted { ($0.element.createdAt, $0.offset) < ($1.element.createdAt, $1.offset) }.map(\.element.id.rawValue)
        let place = try #require(order.firstIndex(of: hit.episode.id.rawValue))
        #expect(
          ids(hit.neighbors) == [Array(order[..<place].suffix(count)), Array(order[(place + 1)...].prefix(count))])
      }
    }
    let handle = memory.domain("d0")
    let narrowed = try await handle.recall(Query(text: "needle", scope: .everything), neighbors: 3)
    #expect(narrowed.allSatisfy { ($0.neighbors.before + $0.neighbors.after).allSatisfy { $0.domain == "d0" } })
  }

  @Test func `have the steps and the statuses that the query asks for, also beside a cached answer`() async throws {
    let store = try Store()
    let memory = try await store.open()
    func episode(_ id: Episode.ID, _ context: String, _ status: Episode.Status, at time: Int64) -> Episode {
      var episode = Episode.sample(
        id, context: context, status: status, steps: ["one", "two"], at: 1_767_225_600_000 + time)
      episode.session = "s"
      return episode
    }
    try await memory.insert([
      episode("a", "hay", .completed, at: 1), episode("b", "needle", .completed, at: 2),
      episode("c", "hay", .active, at: 3),
    ])
    var query = Query(text: "needle", scope: .domain("swift"), steps: .last(1), neighbors: 1)
    for _ in 0..<2 {
      let hit = try #require(await memory.recall(query).first)
      #expect(ids(hit.neighbors) == [["a"], []])
      #expect(hit.neighbors.before.first?.steps.map(\.action) == ["two"])
    }
    query.filter.statuses = [.active, .completed]
    #expect(try await ids(#require(memory.recall(query).first).neighbors) == [["a"], ["c"]])
    query.filter.taskType = .testing
    #expect(try await memory.recall(query).isEmpty)
    let fitted = try await memory.recall(
      Query(text: "needle", scope: .domain("swift"), limit: 1, neighbors: 1), tokens: 1000)
    #expect(fitted.hits.map { ids($0.neighbors) } == [[["a"], []]] && fitted.omitted == FittedHits.Omitted())
    try await memory.close()
  }

  @Test(arguments: [-1, 11, Int.max]) func `are at most ten on each side`(_ count: Int) async throws {
    let memory = try await Memory.inMemory()
    await #expect(throws: MemoryError.self) {
      try await memory.recall(Query(text: "x", scope: .everything), neighbors: count)
    }
  }

  @Test(arguments: [-1, 0, 1, 99, Int.max]) func `a number of tokens that shows nothing is refused with the least`(
    _ tokens: Int
  ) async throws {
    let memory = try await Memory.inMemory()
    let error = await #expect(throws: MemoryError.self) {
      try await memory.recall(Query(text: "x", scope: .everything), tokens: tokens)
    }
    #expect(error?.code == .invalid && error?.message.contains("give 100") == true)
  }
}
