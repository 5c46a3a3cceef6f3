import Episodic
import EpisodicMemory
import TestSupport
import Testing

@Suite struct `An episode read in part` {
  private static func filled(_ store: Store) async throws -> Memory {
    let memory = try await store.open()
    try await memory.insert([
      .sample("long", context: "the flaky login test", steps: (1...50).map { "step \($0)" }),
      .sample("short", context: "another login", steps: ["one", "two"]), .sample("empty", context: "login nothing"),
    ])
    return memory
  }

  static let selections: [StepSelection] = [
    .all, .none, .last(0), .last(1), .last(2), .last(3), .last(50), .last(.max),
  ]

  @Test(arguments: selections)
  func `has the last steps and the number of all, the same from the primary, from the cache, in a list and in a hit`(
    _ selection: StepSelection
  ) async throws {
    let store = try Store()
    let memory = try await Self.filled(store)
    let query = Query(text: "login", scope: .everything, steps: selection)
    // The first round reads the primary, the second may have whole episodes in the cache.
    for round in 0..<2 {
      for (id, count) in [("long", 50), ("short", 2), ("empty", 0)] as [(Episode.ID, Int)] {
        let inList = try await memory.episodes(in: .everything, steps: selection).elements.first { $0.id == id }
        let hit = try await memory.recall(query).first { $0.episode.id == id }?.episode
        let kept = min(selection.limit ?? count, count)
        for episode in [
          try await memory.episode(id, steps: selection), try await memory.episodes([id], steps: selection).first,
          inList, hit,
        ] {
          let episode = try #require(episode)
          #expect(episode.steps.map(\.number) == Array((count - kept)..<count).map { $0 + 1 })
          #expect(episode.stepCount == count && episode.omittedSteps == count - kept)
        }
        if round == 0 { #expect(try await memory.episode(id)?.steps.count == count) }
      }
    }
  }

  /// I1, I3: an entry of the cache is a whole episode.
  @Test func `is never cached as a whole one`() async throws {
    let store = try Store()
    let memory = try await Self.filled(store)
    for selection in [StepSelection.none, .last(1)] {
      _ = try await memory.episode("long", steps: selection)
      _ = try await memory.episodes(["long", "short"], steps: selection)
      _ = try await memory.recall(Query(text: "flaky", scope: .everything, steps: selection))
      _ = try await memory.recall(Query(text: "flaky", scope: .everything, steps: selection))
    }
    #expect(try await memory.episode("long")?.steps.count == 50)
    #expect(try await memory.recall(Query(text: "flaky", scope: .everything)).first?.episode.steps.count == 50)
  }

  @Test func `cannot be inserted, and its JSON is refused by an import`() async throws {
    let store = try Store()
    let memory = try await Self.filled(store)
    let part = try #require(try await memory.episode("long", steps: .last(2)))
    for policy in Episode.ExistingPolicy.allCases {
      let error = await #expect(throws: MemoryError.self) { try await memory.insert([part], existing: policy) }
      #expect(error?.code == .invalid && error?.message.contains("48 of its 50 steps") == true)
    }
    #expect(part.json["step_count"] == 50)
    let whole = try #require(try await memory.episode("long"))
    #expect(whole.json.members?.contains { $0.name == "step_count" } == false && whole != part)
  }

  @Test func `a negative number of steps is refused`() async throws {
    let store = try Store()
    let memory = try await Self.filled(store)
    await #expect(throws: MemoryError.self) { try await memory.episode("long", steps: .last(-1)) }
    await #expect(throws: MemoryError.self) { try await memory.episodes(["long"], steps: .last(-1)) }
    await #expect(throws: MemoryError.self) { try await memory.episodes(in: .everything, steps: .last(-1)) }
  }

  @Test(arguments: [1, 7, 49, 50, 1000]) func `gives its steps by pages, each once and in order`(
    _ limit: Int
  ) async throws {
    let store = try Store()
    let memory = try await Self.filled(store)
    var numbers: [Int] = []
    var next: Int?
    repeat {
      let page = try await memory.steps(of: "long", after: next, limit: limit)
      #expect(page.elements.count <= limit)
      numbers += page.elements.map(\.number)
      next = page.next
    } while next != nil
    #expect(numbers == Array(1...50))
    #expect(try await memory.steps(of: "empty").elements.isEmpty)
    let error = await #expect(throws: MemoryError.self) { try await memory.steps(of: "nobody") }
    #expect(error?.code == .notFound)
    let outside = await #expect(throws: MemoryError.self) {
      try await memory.steps(of: "long", in: .domain("other"), after: nil, limit: 5)
    }
    #expect(outside?.code == .notFound)
  }
}

@Suite struct `Several episodes by their ids` {
  @Test func `come in the order asked, without those that there are not, cached or not`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert((0..<20).map { .sample(Episode.ID("e\($0)"), steps: ["a"]) })
    _ = try await memory.episode("e3")
    let ids: [Episode.ID] = ["e7", "nobody", "e3", "e19", "e7", "e0"]
    for _ in 0..<3 {
      #expect(try await memory.episodes(ids).map(\.id) == ["e7", "e3", "e19", "e7", "e0"])
    }
    try await memory.delete("e19")
    #expect(try await memory.episodes(ids).map(\.id) == ["e7", "e3", "e7", "e0"])
    #expect(try await memory.episodes([]).isEmpty)
    let hits = memory.cacheStatistics()[.episode].hits
    _ = try await memory.episodes(["e7", "e3", "e0", "nobody"])
    #expect(memory.cacheStatistics()[.episode].hits == hits + 4)
  }

  @Test func `are refused above the limit, which the error names`() async throws {
    let store = try Store()
    let memory = try await store.open { $0.limits.results = 3 }
    let error = await #expect(throws: MemoryError.self) { try await memory.episodes(["a", "b", "c", "d"]) }
    #expect(error?.code == .limitExceeded && error?.message.contains("at most 3") == true)
  }

  /// The fault changes both episodes after the primary was read for the one that the cache lacks.
  @Test func `are of one snapshot, also if a commit comes between cache and primary`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let writer = try await store.open()
    try await memory.insert([.sample("a", context: "0"), .sample("b", context: "0")])
    let writing = Task {
      for round in 1...200 {
        try await writer.insert(
          [.sample("a", context: "\(round)"), .sample("b", context: "\(round)")], existing: .replace)
      }
    }
    for _ in 0..<200 {
      _ = try await memory.episode("a")
      let both = try await memory.episodes(["a", "b"])
      #expect(Set(both.map(\.context)).count == 1)
    }
    try await writing.value
  }
}
