import EpisodicMemory
import Testing

@testable import MemoryLMDB

@Suite struct `A value that was filled` {
  /// Every combination of what may be missing, a bit each.
  @Test(arguments: 0..<64) func `comes back as an equal episode`(_ bits: Int) throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    func has(_ bit: Int) -> Bool { bits & 1 << bit != 0 }
    let step = Step(
      id: Step.ID("s"), number: 7, action: "änderte Zeile 3", result: has(0) ? "🙂\n" : nil, tool: has(1) ? "" : nil,
      duration: has(2) ? .milliseconds(17) : nil, success: has(3) ? bits % 3 == 0 : nil,
      timestamp: Timestamp(milliseconds: -5))
    let episode = Episode(
      id: Episode.ID("e"), taskType: TaskType("weather"), domain: "d", session: has(4) ? "s" : nil, context: "",
      status: Episode.Status.allCases[bits % 4], successRate: has(5) ? 0.1 : nil, createdAt: Timestamp(milliseconds: 3),
      completedAt: has(0) ? Timestamp(milliseconds: .max) : nil,
      metadata: has(1) ? ["a": [1, 2.5, nil, true, "x"], "b": [:]] : [:], embeddingVersion: Int64(bits),
      steps: has(2) ? [step, step] : [])
    cache.fill(episode, asOf: 10)
    #expect(cache.episode(episode.id) == episode)
    try #expect(cache.problems() == [])
  }

  @Test(arguments: 0..<8) func `comes back as an equal pattern`(_ bits: Int) throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let pattern = Pattern(
      id: Pattern.ID("p"), type: .toolSequence, data: ["steps": ["read", "edit"]], dataHash: "abc",
      successRate: bits & 1 != 0 ? 1 : nil, usageCount: .max,
      lastUsed: bits & 2 != 0 ? Timestamp(milliseconds: 9) : nil, createdAt: Timestamp(milliseconds: 3),
      metadata: bits & 4 != 0 ? ["k": "v"] : [:])
    let key = CacheKey.pattern(pattern.type, hash: pattern.dataHash, domain: pattern.domain)
    cache.fill(key, with: pattern, asOf: mark(10))
    #expect(cache.value(key, as: Pattern.self) == pattern)
    try #expect(cache.problems() == [])
  }

  @Test func `is not mistaken for another kind of the same name`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    for kind in CacheKey.Kind.allCases {
      cache.fill(CacheKey(kind, "name"), with: Text(kind.name), tags: [], asOf: mark(10))
    }
    for kind in CacheKey.Kind.allCases {
      #expect(cache.value(CacheKey(kind, "name"), as: Text.self) == Text(kind.name))
    }
  }

  @Test func `stays as it is while it can be served`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    cache.fill(.sample("a"), asOf: 10)
    #expect(cache.statistics()[.episode].fills == 1)
    #expect(cache.statistics()[.episode].refused == 0)
  }

  @Test func `is decoded as what it is asked for, or is a miss`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(CacheKey(.query, "q"), with: Text("no episode"), tags: [], asOf: mark(10))
    #expect(cache.value(CacheKey(.query, "q"), as: Episode.self) == nil)
  }

  @Test(arguments: [0, 1, 2000, 2030, 4080, 4100, 100_000]) func `may have any length`(_ count: Int) throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let text = Text(String(repeating: "x", count: count))
    cache.fill(CacheKey(.query, "q"), with: text, tags: [], asOf: mark(10))
    #expect(cache.value(CacheKey(.query, "q"), as: Text.self) == text)
    try #expect(cache.problems() == [])
  }
}
