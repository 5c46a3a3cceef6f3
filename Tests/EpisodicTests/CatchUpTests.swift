import FileLocks
import Episodic
import Foundation
import LMDB
import Logging
import MemorySQLite
import Synchronization
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `Catching up` {
  private let logger = Logger(label: "test")

  /// A filled store whose primary can be observed and delayed.
  private func watched() async throws -> (store: Store, memory: Memory, faulty: FaultyPrimary, cache: LMDBCache) {
    let store = try Store()
    try await store.fill()
    let primary = try await SQLitePrimaryStore(
      path: store.path + "/memory.sqlite", durability: .normal, logger: logger)
    let faulty = FaultyPrimary(primary)
    let cache = try LMDBCache.openFiles(
      at: store.cachePath, store: primary.identity, clock: SystemClock(), options: .init(), sizes: .init(.init()),
      logger: logger)
    return (store, Memory(primary: faulty, cache: cache), faulty, cache)
  }

  private func transactions(_ cache: LMDBCache) throws -> Int {
    try cache.tier.environment.statistics().lastTransaction
  }

  @Test func `concurrent readers of a cache that is behind read the feed once`() async throws {
    let (store, memory, faulty, _) = try await watched()
    defer { withExtendedLifetime(store) {} }
    _ = try await memory.episode("e1")
    try await memory.update("e1", with: .init(context: "changed"))
    let feeds = Mutex(0)
    faulty.set { name, moment async throws(MemoryError) in
      guard name.hasPrefix("changes("), moment == .before else { return }
      feeds.withLock { $0 += 1 }
      // 100 ms in which the other readers would read the feed too.
      for _ in 0..<100 where feeds.withLock({ $0 }) == 1 {
        do { try await Task.sleep(for: .milliseconds(1)) } catch { return }
      }
    }
    let contexts = try await withThrowingTaskGroup { group in
      for _ in 0..<20 { group.addTask { try await memory.episode("e1")?.context } }
      return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
    }
    #expect(contexts == ["changed"])
    #expect(feeds.withLock { $0 } == 1)
  }

  @Test
  func `a read that waits for another one's catch-up ends when its task is cancelled, and the other one continues`()
    async throws
  {
    let (store, memory, faulty, _) = try await watched()
    defer { withExtendedLifetime(store) {} }
    let gate = Gate()
    faulty.set { name, moment async throws(MemoryError) in
      guard name.hasPrefix("changes("), moment == .before else { return }
      await withCheckedContinuation { continuation in
        Thread.detachNewThread {
          gate.pass()
          continuation.resume()
        }
      }
    }
    let first = Task { try await memory.episode("e1") }
    try await waitUntil("the first reads the feed") { gate.count == 1 }
    let second = Task { try await memory.episode("e2") }
    second.cancel()
    let error = await #expect(throws: MemoryError.self) { try await second.value }
    #expect(error?.code == .cancelled && gate.isClosed)
    gate.open()
    #expect(try await first.value?.id == "e1")
    #expect(try await memory.episode("e2")?.id == "e2")
  }

  @Test func `an overtaken batch writes nothing`() async throws {
    let (store, memory, faulty, cache) = try await watched()
    defer { withExtendedLifetime(store) {} }
    _ = try await memory.episode("e1")
    let asked = cache.watermark()
    try await memory.update("e1", with: .init(context: "changed"))
    let stamp = try faulty.commitStamp()
    let batch = try await faulty.changes(after: asked, limit: 10)
    guard case .applied = cache.apply(batch, stamp: stamp, waits: true) else {
      Issue.record("the first is applied")
      return
    }
    let before = try transactions(cache)
    guard case .overtaken = cache.apply(batch, stamp: stamp, waits: true) else {
      Issue.record("the second is overtaken")
      return
    }
    #expect(try transactions(cache) == before)
  }

  /// A writer that was overtaken while waiting still gets the lock.
  @Test func `a batch overtaken while it waits for the lock writes nothing`() async throws {
    let (store, memory, faulty, cache) = try await watched()
    defer { withExtendedLifetime(store) {} }
    _ = try await memory.episode("e1")
    let asked = cache.watermark()
    try await memory.update("e1", with: .init(context: "changed"))
    let stamp = try faulty.commitStamp()
    let batch = try await faulty.changes(after: asked, limit: 10)
    for _ in 0..<20 {
      let before = try transactions(cache)
      let position = CachePosition(watermark: try #require(asked), stamp: nil)
      // Resets the position to before the batch.
      cache.change { (transaction, _) throws(LMDBError) in
        try cache.tables.meta.put(position, in: &transaction)
      }
      await withTaskGroup { group in
        for _ in 0..<4 {
          group.addTask {
            _ = try? await BlockingWork.shared.run { () throws(MemoryError) in
              _ = cache.apply(batch, stamp: stamp, waits: true)
            }
          }
        }
      }
      #expect(try transactions(cache) == before + 2)
    }
  }

  @Test func `the episodes of a query result are filled in one transaction`() async throws {
    let (store, memory, _, cache) = try await watched()
    defer { withExtendedLifetime(store) {} }
    _ = try await memory.episode("e1")
    let before = try transactions(cache)
    let query = Query(text: "topic3", scope: .everything, limit: 10)
    let found = try await memory.recall(query)
    #expect(found.count == 6)
    #expect(try transactions(cache) == before + 1)
    for hit in found { #expect(try await memory.episode(hit.episode.id) == hit.episode) }
    #expect(memory.cacheStatistics()[.episode].hits == 6)

    // The cached result stays and its episodes are removed: they are filled together, too.
    for hit in found { cache.reject(.episode(hit.episode.id)) }
    let emptied = try transactions(cache)
    #expect(try await memory.recall(query) == found)
    #expect(try transactions(cache) == emptied + 1)
  }
}
