import EpisodicMemory
import LMDB
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `The lifetime of an entry` {
  @Test(arguments: CacheKey.Kind.allCases) func `ends at its deadline`(_ kind: CacheKey.Kind) throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let key = CacheKey(kind, "k")
    cache.fill(key, with: Text("v"), tags: [], asOf: mark(10))
    store.clock.advance(by: store.options[kind] - .milliseconds(1))
    #expect(cache.value(key, as: Text.self) == Text("v"))
    store.clock.advance(by: .milliseconds(1))
    #expect(cache.value(key, as: Text.self) == nil)
    let counts = cache.statistics()[kind]
    #expect(counts.hits == 1)
    #expect(counts.misses == 1)
    #expect(counts.expired == 1)
    cache.fill(key, with: Text("again"), tags: [], asOf: mark(10))
    #expect(cache.value(key, as: Text.self) == Text("again"))
    try #expect(cache.problems() == [])
  }

  @Test func `varies by the jitter, in both directions and no further`() {
    var options = LMDBCache.Options()
    options.jitter = 0.1
    let now = Timestamp(milliseconds: 1_000_000)
    let drawn = (0..<10_000).compactMap { _ in options.deadline(of: .episode, from: now).map { $0 - 1_000_000 } }
    #expect(drawn.count == 10_000)
    #expect(drawn.allSatisfy { (3_240_000...3_960_000).contains($0) })
    #expect(drawn.contains { $0 < 3_300_000 })
    #expect(drawn.contains { $0 > 3_900_000 })
  }

  @Test(arguments: [.nan, .infinity, -1, 7] as [Double]) func `bears any jitter`(_ jitter: Double) {
    var options = LMDBCache.Options()
    options.jitter = jitter
    let deadline = options.deadline(of: .query, from: Timestamp(milliseconds: 0))
    #expect(deadline.map { (0...600_000).contains($0) } == true)
  }

  @Test(arguments: [.seconds(Int64.max), .zero, .seconds(-1)] as [Duration])
  func `may be endless, or none`(_ lifetime: Duration) throws {
    var store = try ScratchStore()
    store.options.episodeLifetime = lifetime
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    store.clock.advance(by: .seconds(1_000_000))
    #expect((cache.episode("a") != nil) == (lifetime > .zero))
  }

  @Test func `that has ended is cleared away by later fills`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    for name in 0..<20 { cache.fill(.sample("old\(name)"), asOf: 10) }
    store.clock.advance(by: .seconds(7200))
    for name in 0..<10 { cache.fill(.sample("new\(name)"), asOf: 10) }
    #expect(cache.statistics()[.episode].entries == 10)
    #expect(cache.statistics()[.episode].evicted == 0)
    try #expect(cache.problems() == [])
  }
}
