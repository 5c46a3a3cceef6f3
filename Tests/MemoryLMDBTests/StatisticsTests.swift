import EpisodicMemory
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `The statistics of a cache` {
  @Test func `count what happened, by kind`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    _ = cache.episode("a")
    cache.fill(.sample("a"), asOf: 10)
    _ = cache.episode("a")
    _ = cache.episode("a")
    cache.fill(.sample("b"), asOf: 9)
    let statistics = cache.statistics()
    let counts = statistics[.episode]
    #expect(counts.misses == 1)
    #expect(counts.hits == 2)
    #expect(counts.fills == 1)
    #expect(counts.refused == 1)
    #expect(counts.entries == 1)
    #expect(counts.bytes > 0)
    #expect(counts.hitRate == 2.0 / 3)
    #expect(statistics[.pattern] == CacheStatistics.Counts())
    #expect(statistics.capacity == 256 << 20)
    #expect(statistics.failures == 0)
    #expect(statistics.unavailable == nil)
  }

  @Test func `tell a stale entry from an expired one`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let key = CacheKey(.query, "q")
    let tags = [CacheTag.domain("d", includingActive: false)]
    cache.fill(key, with: Text("x"), tags: tags, asOf: mark(10))
    cache.commit((.episode, "a", domain: "d", finished: true))
    _ = cache.value(key, as: Text.self)
    cache.fill(key, with: Text("x"), tags: tags, asOf: mark(11))
    store.clock.advance(by: .seconds(300))
    _ = cache.value(key, as: Text.self)
    let counts = cache.statistics()[.query]
    #expect(counts.stale == 1)
    #expect(counts.expired == 1)
    #expect(counts.misses == 2)
  }

  @Test func `go on after the cache is opened again`() throws {
    let store = try ScratchStore()
    var before: CacheStatistics?
    do {
      let cache = try store.begun()
      cache.fill(.sample("a"), asOf: 10)
      for _ in 0..<5 { _ = cache.episode("a") }
      _ = cache.value(CacheKey(.query, "q"), as: Text.self)
      before = cache.statistics()
      cache.close()
    }
    let cache = try store.open()
    #expect(cache.statistics() == before)
    _ = cache.episode("a")
    #expect(cache.statistics()[.episode].hits == 6)
  }

  @Test func `are kept by an entry's removal, but for what it held`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    _ = cache.episode("a")
    cache.removeAll()
    let counts = cache.statistics()[.episode]
    #expect(counts.hits == 1)
    #expect(counts.fills == 1)
    #expect(counts.entries == 0)
    #expect(counts.bytes == 0)
  }

  @Test func `lose nothing while many count at once`() async throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    await withTaskGroup { group in
      for task in 0..<4 {
        group.addTask {
          for turn in 0..<250 {
            _ = cache.episode("a")
            if turn % 50 == 0 { cache.fill(.sample("\(task)-\(turn)"), asOf: 10) }
          }
        }
      }
    }
    #expect(cache.statistics()[.episode].hits == 1000)
    #expect(cache.statistics()[.episode].entries == 21)
    try #expect(cache.problems() == [])
  }
}
