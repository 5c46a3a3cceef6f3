import CoreMetrics
import EpisodicMemory
import LMDB
import MetricsTestKit
import Testing

@testable import MemoryLMDB

@Suite struct `The metrics of a cache` {
  @Test func `count what it did, by kind of key`() throws {
    let metrics = TestMetrics()
    var store = try ScratchStore()
    store.sizes.metrics = metrics
    let cache = try store.begun()
    _ = cache.episode("a")
    cache.fill(.sample("a"), asOf: 10)
    for _ in 0..<3 { _ = cache.episode("a") }
    cache.fill(.sample("b"), asOf: 10)
    func total(_ name: String, _ kind: String) throws -> Int64 {
      try metrics.expectCounter("episodic.cache.\(name)", [("kind", kind)]).totalValue
    }
    try #expect(total("misses", "episode") == 1)
    try #expect(total("hits", "episode") == 3)
    try #expect(total("fills", "episode") == 2)
    try #expect(total("hits", "query") == 0)
    try #expect(metrics.expectGauge("episodic.cache.entries").lastValue == 2)
  }

  @Test func `and the statistics survive a process that never fills and is killed`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    for _ in 0..<5000 { _ = cache.episode("a") }
    let written = try cache.tier.environment.read { transaction throws(LMDBError) in
      try cache.tables.meta.counters(in: transaction)
    }
    #expect(written[.episode].hits == 4096)
    #expect(cache.statistics()[.episode].hits == 5000)
  }
}
