import EpisodicMemory
import LMDB
import Synchronization
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `Checking a cache` {
  private func failures(_ checks: [MemoryCheck]) -> [String: String] {
    var failures: [String: String] = [:]
    for case let check in checks {
      if case .failed(let reason) = check.outcome { failures[check.name] = reason }
    }
    return failures
  }

  @Test func `passes where it holds what the primary has`() async throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let primary = SamplePrimary()
    for name in 0..<200 {
      primary.put(.sample("\(name)"), changed: false)
      cache.fill(.sample("\(name)"), asOf: 10)
    }
    let pattern = Pattern(
      id: Pattern.ID("p"), type: "a:b", data: [], dataHash: "h", successRate: nil, usageCount: 0, lastUsed: nil,
      createdAt: Timestamp(milliseconds: 0), metadata: [:])
    primary.state.withLock { $0.patterns["a:b:h"] = pattern }
    cache.fill(.pattern("a:b", hash: "h", domain: nil), with: pattern, asOf: mark(10))
    cache.fill(CacheKey(.query, "q"), with: Text("no counterpart"), tags: [], asOf: mark(10))
    let checks = await cache.check(against: primary)
    #expect(failures(checks) == [:])
    #expect(checks.count == 5)
  }

  @Test func `finds a value the primary does not have, and says which`() async throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let primary = SamplePrimary()
    primary.put(.sample("a", context: "truth"), changed: false)
    cache.fill(.sample("a", context: "lie"), asOf: 10)
    cache.fill(.sample("gone"), asOf: 10)
    let reason = failures(await cache.check(against: primary))["cache against primary"]
    #expect(reason?.contains("episode:a differs from the primary") == true)
    #expect(reason?.contains("episode:gone is gone from the primary") == true)
  }

  @Test func `does not take a cache that is behind for a wrong one`() async throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let primary = SamplePrimary()
    cache.fill(.sample("a", context: "before"), asOf: 10)
    primary.put(.sample("a", context: "after"))
    #expect(await failures(cache.check(against: primary)) == [:])
    #expect(cache.watermark() == mark(11))
    #expect(cache.episode("a") == nil)
  }

  @Test func `does not take a commit that comes meanwhile for a difference`() async throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let primary = SamplePrimary()
    primary.put(.sample("a", context: "first"), changed: false)
    cache.fill(.sample("a", context: "first"), asOf: 10)
    primary.state.withLock { $0.beforeReading = { $0.put(.sample("a", context: "second")) } }
    #expect(await failures(cache.check(against: primary)) == [:])
  }

  @Test func `leaves out what would not be served`() async throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("expired"), asOf: 10)
    store.clock.advance(by: .seconds(3600))
    #expect(await failures(cache.check(against: SamplePrimary())) == [:])
  }

  @Test func `finds entries that were changed, and counts that are wrong`() async throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(CacheKey(.query, "q"), with: Text("x"), tags: [], asOf: mark(10))
    try cache.tier.environment.write { transaction throws(LMDBError) in
      let hash = CacheKey(.query, "q").hash
      guard var bytes = try transaction.get(hash, in: cache.tables.entries)?.withUnsafeBytes({ Array($0) }) else {
        return
      }
      bytes[bytes.count - 1] ^= 1
      try transaction.put(bytes.span.bytes, for: hash, in: cache.tables.entries)
      var counters = PersistedCounters()
      counters[.query].entries = 2
      try cache.tables.meta.put(counters, in: &transaction)
      try transaction.delete(1, in: cache.tables.window)
    }
    let found = failures(await cache.check(against: SamplePrimary()))
    #expect(Set(found.keys) == ["cache checksums", "cache counters", "cache order"])
  }
}
