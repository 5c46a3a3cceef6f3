import EpisodicMemory
import Foundation
import LMDB
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `Damage` {
  /// Changes the record of a key where it lies.
  private static func spoil(
    _ key: UInt64, in database: Database, of cache: LMDBCache, _ change: (inout [UInt8]) -> Void
  ) throws {
    try cache.tier.environment.write { transaction throws(LMDBError) in
      guard var bytes = try transaction.get(key, in: database)?.withUnsafeBytes({ Array($0) }) else {
        throw LMDBError(.invalid, message: "no record")
      }
      change(&bytes)
      try transaction.put(bytes.span.bytes, for: key, in: database)
    }
  }

  @Test func `of any byte of an entry makes it a miss`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let episode = Episode.sample("a", context: "context", steps: 1)
    cache.fill(episode, asOf: 10)
    let hash = CacheKey.episode("a").hash
    let count = try cache.tier.environment.read { transaction throws(LMDBError) in
      try transaction.get(hash, in: cache.tables.entries)?.byteCount ?? 0
    }
    #expect(count > 100)
    for position in 0..<count {
      try Self.spoil(hash, in: cache.tables.entries, of: cache) { $0[position] ^= 0x10 }
      #expect(cache.episode("a") == nil, "byte \(position)")
      // It has started anew, and takes the value again.
      try #expect(cache.problems() == [])
      cache.fill(episode, asOf: 10)
      #expect(cache.episode("a") == episode, "byte \(position)")
    }
    #expect(cache.statistics().failures == count)
    #expect(store.log.all.count == 1)
  }

  @Test(arguments: [0, 1, 39, 40, 60]) func `that cuts an entry short makes it a miss`(_ count: Int) throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a", context: "context"), asOf: 10)
    try Self.spoil(CacheKey.episode("a").hash, in: cache.tables.entries, of: cache) { $0 = Array($0[..<count]) }
    #expect(cache.episode("a") == nil)
    try #expect(cache.problems() == [])
  }

  @Test func `that puts an entry in the place of another makes it a miss`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    let other = try cache.tier.environment.read { transaction throws(LMDBError) in
      try transaction.get(CacheKey.episode("a").hash, in: cache.tables.entries)?.withUnsafeBytes { Array($0) }
    }
    cache.fill(.sample("b"), asOf: 10)
    let bytes = try #require(other)
    try Self.spoil(CacheKey.episode("b").hash, in: cache.tables.entries, of: cache) { $0 = bytes }
    #expect(cache.episode("b") == nil)
  }

  @Test func `of the watermark has the cache told of the primary again`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    try Self.spoil(1, in: cache.tables.meta.database, of: cache) { $0[0] ^= 1 }
    #expect(cache.watermark() == nil)
    #expect(cache.episode("a") == nil)
    #expect(cache.begin(at: 12))
    cache.fill(.sample("a"), asOf: 12)
    #expect(cache.episode("a") != nil)
    try #expect(cache.problems() == [])
  }

  @Test func `of the tags or the counters costs the entries, and no more`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let query = CacheKey(.query, "q")
    for (key, database) in [(TagTable.floor, cache.tables.tags.database), (2, cache.tables.meta.database)] {
      cache.fill(.sample("a"), asOf: 10)
      cache.fill(query, with: Text("v"), tags: [.domain("d", includingActive: false)], asOf: mark(10))
      #expect(cache.episode("a") != nil)
      try Self.spoil(key, in: database, of: cache) { $0[3] ^= 1 }
      _ = cache.value(query, as: Text.self)
      cache.fill(.sample("b\(key)"), asOf: 10)
      #expect(cache.episode("a") == nil)
      #expect(cache.watermark() == mark(10))
      try #expect(cache.problems() == [])
    }
  }

  @Test func `of the order costs the entries, and no more`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    try Self.spoil(1, in: cache.tables.window, of: cache) { $0[0] ^= 1 }
    let change = Change(revision: 11, subject: .episode, key: "a", domain: "d", finished: true)
    let batch = ChangeBatch(asked: mark(10), continues: true, changes: [change], end: mark(11), isComplete: true)
    #expect(cache.apply(batch).isUnavailable)
    #expect(cache.episode("a") == nil)
    cache.commit((.episode, "a", domain: "d", finished: true))
    cache.fill(.sample("a"), asOf: 11)
    #expect(cache.episode("a") != nil)
    try #expect(cache.problems() == [])
  }

  // MARK: Files

  @Test(arguments: ["", "garbage", "truncated", "zeros"])
  func `of the data file opens an empty cache`(_ how: String) throws {
    let store = try ScratchStore()
    var cache: LMDBCache? = try store.begun()
    for name in 0..<100 { cache?.fill(.sample("\(name)", context: String(repeating: "x", count: 3000)), asOf: 10) }
    cache?.close()
    cache = nil
    let whole = try Data(contentsOf: URL(filePath: store.dataFile))
    let damaged =
      switch how {
      case "garbage": Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 131) })
      case "truncated": whole.prefix(whole.count / 2)
      case "zeros": Data(count: whole.count)
      default: Data()
      }
    try damaged.write(to: URL(filePath: store.dataFile))
    let opened = try store.open()
    #expect(opened.watermark() == nil)
    #expect(opened.episode("1") == nil)
    #expect(opened.begin(at: 10))
    opened.fill(.sample("1"), asOf: 10)
    #expect(opened.episode("1") != nil)
    try #expect(opened.problems() == [])
  }

  @Test func `of LMDB's own pages has the next one to open make new files`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    cache.failed(LMDBError(.damaged, returnCode: -30796, message: "a page is damaged"))
    #expect(!cache.isAvailable)
    #expect(cache.episode("a") == nil)
    cache.close()
    let opened = try store.open()
    #expect(opened.watermark() == nil)
    #expect(opened.isAvailable)
  }
}
