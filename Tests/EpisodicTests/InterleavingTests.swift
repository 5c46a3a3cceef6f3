import Episodic
import Foundation
import Logging
import MemoryLMDB
import MemorySQLite
import Synchronization
import TestSupport
import Testing

/// Two memories over one store, standing for two processes; faults and delays can be injected into the first one's primary.
private struct Rivals {
  let store: Store
  let faulty: FaultyPrimary
  let slow: Memory
  let other: Memory

  init(keepingEpisodes: Bool = true) async throws {
    store = try Store()
    other = try await store.open()
    try await other.insert([.sample("e", context: "old topic")])
    let primary = try await SQLitePrimaryStore(path: store.path + "/memory.sqlite", logger: Logger(label: "test"))
    faulty = FaultyPrimary(primary)
    var options = LMDBCache.Options()
    if !keepingEpisodes { options.episodeLifetime = .zero }
    let cache = LMDBCache.open(
      at: store.cachePath, store: primary.identity, options: options, logger: Logger(label: "test"))
    slow = Memory(primary: faulty, cache: cache)
  }

  /// Runs `meanwhile` once, between the end of an operation in the primary and the return to its caller.
  func once(after operation: String, _ meanwhile: @escaping @Sendable () async throws(MemoryError) -> Void) {
    let isDone = Mutex(false)
    faulty.set { name, moment async throws(MemoryError) in
      guard name.hasPrefix(operation + "("), moment == .after,
        isDone.withLock({ isDone in
          defer { isDone = true }
          return !isDone
        })
      else { return }
      try await meanwhile()
    }
  }
}

@Suite struct `Interleavings` {
  /// I3: the race that delete-before, delete-after, double delete and leases all lose.
  @Test func `a slow reader does not fill a value that a writer has changed`() async throws {
    let rivals = try await Rivals()
    let other = rivals.other
    rivals.once(after: "episode") { () async throws(MemoryError) in
      try await other.update("e", with: .init(context: "new topic"))
      // The other process reads too, so the entry is dropped before the slow reader fills.
      _ = try await other.recall(Query(text: "topic", scope: .everything))
      _ = try await other.episode("e")
    }
    #expect(try await rivals.slow.episode("e")?.context == "old topic")
    #expect(try await rivals.slow.episode("e")?.context == "new topic")
    #expect(try await other.episode("e")?.context == "new topic")
    #expect(try await rivals.slow.statistics().cache[.episode].refused >= 1)
  }

  /// I3
  @Test func `a slow search does not fill a result that a writer has changed`() async throws {
    let rivals = try await Rivals()
    let other = rivals.other
    let query = Query(text: "topic", scope: .domain("swift"))
    rivals.once(after: "read") { () async throws(MemoryError) in
      try await other.insert([.sample("f", context: "topic too")])
      _ = try await other.episode("e")
    }
    #expect(try await rivals.slow.recall(query).count == 1)
    #expect(try await rivals.slow.recall(query).count == 2)
    #expect(try await other.recall(query).count == 2)
  }

  /// I3: the result is a cache hit, its episodes are read from the primary, and a commit happens in between.
  @Test func `a cached result is not combined with episodes of a later snapshot`() async throws {
    let rivals = try await Rivals(keepingEpisodes: false)
    let other = rivals.other
    try await other.insert([.sample("f", context: "topic too")])
    let query = Query(text: "topic", scope: .domain("swift"))
    for _ in 0..<2 { #expect(try await rivals.slow.recall(query).count == 2) }
    #expect(try await rivals.slow.statistics().cache[.query].hits == 1)
    // Between the load of the first episode and that of the second.
    rivals.once(after: "episode") { () async throws(MemoryError) in
      for id in ["e", "f"] as [Episode.ID] { try await other.update(id, with: .init(context: "something else")) }
    }
    #expect(try await rivals.slow.recall(query).isEmpty)
  }

  /// I3: of two concurrent catch-ups, the slower one must not set the watermark back.
  @Test func `concurrent catch-ups lose no change`() async throws {
    let rivals = try await Rivals()
    let other = rivals.other
    _ = try await rivals.slow.episode("e")
    try await other.update("e", with: .init(context: "second topic"))
    rivals.once(after: "changes") { () async throws(MemoryError) in
      try await other.update("e", with: .init(context: "third topic"))
      _ = try await other.episode("e")
    }
    #expect(["second topic", "third topic"].contains(try await rivals.slow.episode("e")?.context))
    #expect(try await rivals.slow.episode("e")?.context == "third topic")
    #expect(try await other.episode("e")?.context == "third topic")
  }

  @Test func `an error of the primary reaches the caller and is not cached`() async throws {
    let rivals = try await Rivals()
    rivals.faulty.set { name, moment async throws(MemoryError) in
      if moment == .before { throw MemoryError(.unavailable, "\(name) fails in this test") }
    }
    for _ in 0..<2 {
      await #expect(throws: MemoryError.self) { try await rivals.slow.episode("e") }
      await #expect(throws: MemoryError.self) { try await rivals.slow.recall(Query(text: "topic", scope: .everything)) }
    }
    rivals.faulty.set(nil)
    #expect(try await rivals.slow.episode("e")?.context == "old topic")
    #expect(try await rivals.slow.recall(Query(text: "topic", scope: .everything)).count == 1)
  }

  /// The gate catches up a bounded number of times, then reads from the primary.
  @Test func `a cache that stays behind makes a read slower and not wrong`() async throws {
    let rivals = try await Rivals()
    let other = rivals.other
    let count = Mutex(0)
    rivals.faulty.set { name, moment async throws(MemoryError) in
      guard name.hasPrefix("changes("), moment == .after else { return }
      let number = count.withLock { count in
        count += 1
        return count
      }
      try await other.update("e", with: .init(context: "topic \(number)"))
      _ = try await other.episode("e")
    }
    #expect(try await rivals.slow.episode("e")?.context == "topic 8")
    #expect(count.withLock { $0 } == 8)
  }
}
