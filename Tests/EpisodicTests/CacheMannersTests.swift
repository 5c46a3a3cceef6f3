import Episodic
import Foundation
import Logging
import MemoryLMDB
import MemorySQLite
import Synchronization
import TestSupport
import Testing

@Suite struct `Reads that miss the cache` {
  /// A memory whose primary can be observed and delayed.
  private static func watched(_ store: Store) async throws -> (Memory, FaultyPrimary) {
    let primary = try await SQLitePrimaryStore(path: store.path + "/memory.sqlite", logger: Logger(label: "test"))
    let faulty = FaultyPrimary(primary)
    let cache = LMDBCache.open(at: store.cachePath, store: primary.identity, logger: Logger(label: "test"))
    return (Memory(primary: faulty, cache: cache), faulty)
  }

  /// Waits until `count` reads of episodes have missed the cache, and wait for the primary.
  private static func waitForMisses(_ count: Int, in memory: Memory) async {
    do {
      try await waitUntil("\(count) reads miss") { memory.cacheStatistics()[.episode].misses >= count }
      // The last one has been counted, and waits a few instructions later.
      try await Task.sleep(for: .milliseconds(50))
    } catch {
      Issue.record(error)
    }
  }

  @Test func `concurrent misses of one episode read it once`() async throws {
    let store = try Store()
    try await store.fill()
    let (memory, faulty) = try await Self.watched(store)
    _ = try await memory.episode("e1")
    let loads = Mutex(0)
    faulty.set { name, moment async throws(MemoryError) in
      guard name.hasPrefix("episode("), moment == .before else { return }
      loads.withLock { $0 += 1 }
      await Self.waitForMisses(1 + 20, in: memory)
    }
    let contexts = try await withThrowingTaskGroup { group in
      for _ in 0..<20 { group.addTask { try await memory.episode("e2")?.context } }
      return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
    }
    #expect(contexts == ["task 2 about topic2"])
    #expect(loads.withLock { $0 } == 1)
  }

  /// I3: a read after a commit must not get the value of a read that began before it.
  @Test func `a read does not join one that began before a commit`() async throws {
    let store = try Store()
    try await store.fill()
    let (memory, faulty) = try await Self.watched(store)
    let other = try await store.open()
    _ = try await memory.episode("e1")
    let isFirst = Mutex(true)
    faulty.set { name, moment async throws(MemoryError) in
      let isMine = name.hasPrefix("episode(") && moment == .after
      guard isMine,
        isFirst.withLock({ first in
          defer { first = false }; return first
        })
      else { return }
      // After the value is read and before it is returned, a commit and another read happen.
      try await other.update("e2", with: .init(context: "newer"))
      #expect(try await memory.episode("e2")?.context == "newer")
    }
    #expect(try await memory.episode("e2")?.context == "task 2 about topic2")
    #expect(try await memory.episode("e2")?.context == "newer")
  }

  @Test func `a read that joined a failed one reads by itself`() async throws {
    let store = try Store()
    try await store.fill()
    let (memory, faulty) = try await Self.watched(store)
    _ = try await memory.episode("e1")
    let isFirst = Mutex(true)
    faulty.set { name, moment async throws(MemoryError) in
      guard name.hasPrefix("episode("), moment == .before else { return }
      let fails = isFirst.withLock { first in
        defer { first = false }; return first
      }
      if fails { await Self.waitForMisses(1 + 4, in: memory) }
      if fails { throw MemoryError(.unavailable, "the first one fails in this test") }
    }
    let outcomes = await withTaskGroup { group in
      for _ in 0..<4 { group.addTask { try? await memory.episode("e2") } }
      return await group.reduce(into: []) { $0.append($1?.context) }
    }
    #expect(outcomes.filter { $0 == "task 2 about topic2" }.count == 3)
  }

  @Test func `concurrent reads of a missing episode read once, and it is found after its insertion`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      for _ in 0..<3 { #expect(try await memory.episode("later") == nil) }
      for _ in 0..<3 { #expect(try await memory.pattern(.toolSequence, data: [:]) == nil) }
      #expect(memory.cacheStatistics()[.episode].hits == 2)
      #expect(memory.cacheStatistics()[.pattern].hits == 2)
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
      try await memory.insert([.sample("later", context: "here now")])
      try await memory.record(.init(.toolSequence, data: [:]))
      #expect(try await memory.episode("later")?.context == "here now")
      #expect(try await memory.pattern(.toolSequence, data: [:]) != nil)
      try await memory.delete("later")
      #expect(try await memory.episode("later") == nil)
    }
  }

  @Test func `maximumStaleness allows an older result, with current episodes`() async throws {
    let store = try Store()
    let clock = ManualClock()
    try await store.fill()
    let memory = try await store.open { $0.clock = clock }
    var query = Query(text: "topic3", scope: .domain("even"))
    let before = try await memory.recall(query).map(\.episode.id)
    #expect(before.count == 3)
    #expect(memory.cacheStatistics()[.query].misses == 1)
    try await memory.insert([.sample("extra", domain: "even", context: "topic3")])
    try await memory.delete(before[0])
    // The same id in another domain: I8.
    try await memory.delete(before[1])
    try await memory.insert([.sample(before[1], domain: "odd", context: "topic3")])
    query.maximumStaleness = .seconds(60)
    #expect(try await memory.recall(query).map(\.episode.id) == [before[2]])
    try await memory.archive(before[2])
    #expect(try await memory.recall(query).isEmpty)
    try await memory.reopen(before[2])
    try await memory.complete(before[2])
    clock.advance(by: .seconds(61))
    #expect(Set(try await memory.recall(query).map(\.episode.id)) == [before[2], "extra"])
    query.maximumStaleness = nil
    #expect(Set(try await memory.recall(query).map(\.episode.id)) == [before[2], "extra"])
  }

  @Test(arguments: [true, false]) func `completing an episode fills the cache if prefetching is enabled`(
    _ prefetches: Bool
  )
    async throws
  {
    let store = try Store()
    let memory = try await store.open { $0.cache.prefetchesEnded = prefetches }
    let episode = try await memory.begin(.init(.testing, domain: "d", context: "c"))
    try await memory.append(.init("step"), to: episode.id)
    let completed = try await memory.complete(episode.id)
    #expect(try await memory.episode(episode.id) == completed)
    #expect(memory.cacheStatistics()[.episode].hits == (prefetches ? 1 : 0))
  }

  @Test func `a writer stopped inside the cache delays no read`() async throws {
    let store = try Store()
    try await store.fill()
    let memory = try await store.open()
    _ = try await memory.episode("e1")
    // A stopped process looks to others like one that holds the lock.
    let descriptor = open(store.cachePath + "/writer", O_RDWR | O_CLOEXEC)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    defer { close(descriptor) }
    let held = Held { flock(descriptor, LOCK_UN) }
    try await memory.update("e1", with: .init(context: "changed"))
    // All of them miss and would fill. If one waited for the writer, the lock would be released at the end.
    for round in 0..<90 where held.isHeld {
      #expect(try await memory.episode(Episode.ID("e\(round % 30)"))?.steps.count == 2)
    }
    #expect(try await memory.episode("e1")?.context == "changed")
    #expect(held.isHeld)
    #expect(memory.cacheStatistics().failures > 0)
    held.release()
    for _ in 0..<2 { #expect(try await memory.episode("e1")?.context == "changed") }
    #expect(memory.cacheStatistics()[.episode].hits > 0)
  }
}
