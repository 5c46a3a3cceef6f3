import EpisodicMemory
import Foundation
import LMDB
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `Another process` {
  @Test func `shares entries, changes and counts`() async throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("ours"), asOf: 10)
    let path = store.directory
    await #expect(processExitsWith: .success) { [path = path as String] in
      let cache = LMDBCache.open(
        at: path, store: StoreIdentity(rawValue: "00112233445566778899aabbccddeeff"), clock: ManualClock(),
        logger: LogRecorder().logger)
      let key = CacheKey.episode("ours")
      #expect(cache.value(key, as: Episode.self) == .sample("ours"))
      cache.fill(.episode("theirs"), with: Episode.sample("theirs"), asOf: mark(10))
      let change = Change(revision: 11, subject: .episode, key: "ours", domain: "d", finished: true)
      let batch = ChangeBatch(asked: mark(10), continues: true, changes: [change], end: mark(11), isComplete: true)
      #expect(cache.apply(batch).isApplied)
      cache.close()
    }
    #expect(cache.watermark() == mark(11))
    #expect(cache.episode("ours") == nil)
    #expect(cache.episode("theirs") == .sample("theirs"))
    #expect(cache.statistics()[.episode].hits == 2)
    #expect(cache.statistics()[.episode].fills == 2)
    try #expect(cache.problems() == [])
  }

  @Test func `killed at any moment leaves a cache that is whole`() async throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let path = store.directory
    for round in 0..<3 {
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
        let cache = LMDBCache.open(
          at: path, store: StoreIdentity(rawValue: "00112233445566778899aabbccddeeff"), clock: ManualClock(),
          logger: LogRecorder().logger)
        // Once it is at work, at any moment of it.
        let begin = cache.watermark()?.revision ?? 0
        Thread.detachNewThread {
          while (cache.watermark()?.revision ?? 0) < begin + 5 + Int64(round) * 7 { usleep(100) }
          usleep(.random(in: 0...3_000))
          kill(getpid(), SIGKILL)
        }
        while true {
          guard let asked = cache.watermark() else { break }
          let key = "e\(asked.revision % 50)"
          let change = Change(
            revision: asked.revision + 1, subject: .episode, key: key, domain: "d", finished: true)
          let batch = ChangeBatch(
            asked: asked, continues: true, changes: [change], end: mark(asked.revision + 1), isComplete: true)
          _ = cache.apply(batch)
          let episode = Episode.sample("e\((asked.revision + 7) % 50)", steps: 20)
          cache.fill(.episode(episode.id), with: episode, asOf: asked)
          _ = cache.value(.episode(episode.id), as: Episode.self)
        }
      }
      #expect(cache.watermark() != nil)
      try #expect(cache.problems() == [])
    }
    #expect(cache.statistics().failures == 0)
  }

  @Test func `killed inside a read does not hold the map without a bound`() async throws {
    var store = try ScratchStore()
    store.sizes.mapSize = 1 << 20
    let cache = try store.begun()
    cache.fill(.sample("first"), asOf: 10)
    let path = store.directory
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let cache = try LMDBCache.openFiles(
        at: path, store: StoreIdentity(rawValue: "00112233445566778899aabbccddeeff"), clock: ManualClock(),
        options: .init(), sizes: .init(.init()), logger: LogRecorder().logger)
      try cache.tier.environment.read { _ throws(LMDBError) in _ = kill(getpid(), SIGKILL) }
    }
    let long = String(repeating: "x", count: 6000)
    // The clock stands, so it is the full map that has dead readers looked for.
    for name in 0..<500 { cache.fill(.sample("\(name)", context: long), asOf: 10) }
    #expect(cache.episode("499") != nil)
    #expect(cache.statistics().failures == 0)
    #expect(store.log.all == [])
    try #expect(cache.problems() == [])
  }
}
