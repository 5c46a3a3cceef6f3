import CachePolicy
import EpisodicMemory
import Foundation
import LMDB
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `The capacity` {
  @Test(arguments: [10, 500, 1500, 1990, 2100, 4000, 4100, 30_000])
  func `bounds the pages that entries take`(_ size: Int) throws {
    var store = try ScratchStore()
    store.options.capacity = 2 << 20
    let cache = try store.begun()
    for name in 0..<(8 << 20) / max(size, 400) {
      cache.fill(.sample("\(name)", context: String(repeating: "x", count: size)), asOf: 10)
    }
    let statistics = cache.statistics()
    #expect(statistics[.episode].bytes <= 2 << 20)
    #expect(statistics[.episode].bytes > 2 << 19)
    #expect(statistics[.episode].evicted > 0)
    try #expect(cache.problems() == [])
    let pages = try cache.tier.environment.statistics()
    // Room for tables, and for the copies LMDB makes before it frees anything.
    #expect(pages.usedBytes - pages.freePages * pages.pageSize < 5 << 19)
    #expect(pages.usedBytes < 3 << 20)
  }

  /// In entries, where entries are alike, and in bytes.
  @Test(arguments: [40, 300], [true, false])
  func `is given to the entries that the policy chooses`(_ count: Int, _ isInEntries: Bool) throws {
    var store = try ScratchStore()
    let episode = Episode.sample("00000", context: String(repeating: "x", count: 3000))
    let cost = PageCost(pageSize: 4096)(valueBytes: 3200)
    store.options.capacity = isInEntries ? 64 << 20 : count * cost
    store.options.maximumEntries = isInEntries ? count : nil
    store.sizes.expectedEntries = count
    let cache = try store.begun()
    let policy = EvictionPolicy(path: "/dev/null/none", entries: count)
    var model = ModelCache(capacity: isInEntries ? count : cache.limit.bytes)
    var generator = SeededGenerator(seed: 7)
    for turn in 0..<6000 {
      let limit = Int.random(in: 1...2000, using: &generator)
      let number = turn.isMultiple(of: 7) ? turn : Int.random(in: 0..<limit, using: &generator)
      let id = Episode.ID("\(10_000 + number)")
      let isExpected = model.access(CacheKey.episode(id).hash, cost: isInEntries ? 1 : cost, policy: policy)
      if cache.episode(id) == nil {
        #expect(!isExpected, "turn \(turn)")
        cache.fill(.sample(id.rawValue, context: episode.context), asOf: 10)
      } else {
        #expect(isExpected, "turn \(turn)")
      }
    }
    #expect(cache.statistics()[.episode].entries == model.entries.count)
    try #expect(cache.problems() == [])
  }

  @Test func `keeps out a value that would throw out too many others`() throws {
    var store = try ScratchStore()
    store.options.capacity = 1 << 20
    let cache = try store.begun()
    cache.fill(.sample("small"), asOf: 10)
    cache.fill(.sample("large", context: String(repeating: "x", count: 200_000)), asOf: 10)
    #expect(cache.episode("large") == nil)
    #expect(cache.episode("small") != nil)
    #expect(cache.statistics()[.episode].refused == 1)
  }

  @Test func `may be lowered while there are entries`() throws {
    var store = try ScratchStore()
    store.options.capacity = 4 << 20
    let cache = try store.begun()
    let long = String(repeating: "x", count: 3000)
    for name in 0..<1000 { cache.fill(.sample("\(name)", context: long), asOf: 10) }
    cache.close()
    store.options.capacity = 1 << 20
    let smaller = try store.open()
    for name in 0..<8 { smaller.fill(.sample("new\(name)", context: long), asOf: 10) }
    #expect(smaller.statistics()[.episode].bytes <= 1 << 20)
    #expect(smaller.episode("new7") != nil)
    try #expect(smaller.problems() == [])
  }

  @Test func `is no more than the map can hold`() throws {
    var store = try ScratchStore()
    store.sizes.mapSize = 1 << 20
    let cache = try store.begun()
    let long = String(repeating: "x", count: 6000)
    for name in 0..<1000 { cache.fill(.sample("\(name)", context: long), asOf: 10) }
    // The map would be full long before the capacity is used up, so it is what bounds the entries.
    #expect(cache.statistics().capacity == 3 << 18)
    #expect(cache.episode("999") != nil)
    #expect(cache.statistics()[.episode].evicted > 0)
    #expect(cache.statistics().failures == 0)
    cache.commit((.episode, "999", domain: "d", finished: true))
    #expect(cache.episode("999") == nil)
    try #expect(cache.problems() == [])
  }

  @Test func `held up by a reader that does not end costs fills, and is logged once`() throws {
    var store = try ScratchStore()
    store.sizes.mapSize = 1 << 20
    let cache = try store.begun()
    let long = String(repeating: "x", count: 6000)
    for name in 0..<20 { cache.fill(.sample("\(name)", context: long), asOf: 10) }
    try cache.tier.environment.read { _ throws(LMDBError) in
      for name in 20..<500 { cache.fill(.sample("\(name)", context: long), asOf: 10) }
      #expect(cache.statistics().failures > 0)
      #expect(store.log.all.count == 1)
    }
    #expect(store.log.all.first?.contains(store.directory) == true)
    #expect(cache.statistics().notWritable?.contains("MDB_MAP_FULL") == true)
    #expect(cache.statistics().notWritableSince == store.clock.now())
    // Tried again after a pause.
    store.clock.advance(by: .milliseconds(100))
    cache.fill(.sample("after", context: long), asOf: 10)
    #expect(cache.episode("after") != nil)
    #expect(cache.statistics().notWritable == nil)
    try #expect(cache.problems() == [])
  }

  @Test(arguments: [.min, -1, 0, 1, .max]) func `may be any number`(_ capacity: Int) {
    var options = LMDBCache.Options()
    options.capacity = capacity
    #expect(options.effectiveCapacity >= 1 << 20)
    #expect(options.mapSize >= 2 * options.effectiveCapacity)
  }

  /// Pages that an old snapshot sees cannot be used again, so the file fills up.
  @Test func `is not exceeded under a reader that does not end, who costs fills and nothing else`() throws {
    var store = try ScratchStore()
    store.options.maximumFileSize = 4 << 20
    store.sizes = LMDBCache.Sizes(store.options)
    let cache = try store.begun()
    let long = String(repeating: "x", count: 3000)
    func fill(_ numbers: Range<Int>) {
      for number in numbers { cache.fill(.sample("\(number)", context: "\(number)" + long), asOf: 10) }
    }
    fill(0..<100)
    try cache.tier.environment.read { _ throws(LMDBError) in
      fill(100..<2000)
      for number in 0..<2000 {
        if let found = cache.episode(Episode.ID("\(number)")) { #expect(found.context == "\(number)" + long) }
      }
    }
    #expect(cache.statistics().failures > 0)
    #expect(cache.isAvailable)
    #expect(store.log.all.count == 1)
    store.clock.advance(by: .milliseconds(100))
    fill(2000..<2100)
    #expect(cache.episode("2099") != nil)
    #expect(try FileManager.default.attributesOfItem(atPath: store.dataFile)[.size] as? Int ?? .max <= 4 << 20)
    try #expect(cache.problems() == [])
  }
}
