import EpisodicMemory
import FileLocks
import GRDB
import Logging
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `Pruning of the feed` {
  private let clock = ManualClock()

  private func store() async throws -> SQLitePrimaryStore {
    try await SQLitePrimaryStore(inMemoryWith: Logger(label: "test"), clock: clock)
  }

  private func add(_ count: Int, to store: SQLitePrimaryStore) async throws {
    try await store.writeRows { db in
      try db.execute(
        sql: """
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
          INSERT INTO changes (subject, key) SELECT 'pattern', 'x' FROM n
          """, arguments: [count])
    }
  }

  private func prune(_ store: SQLitePrimaryStore, applied: Int64? = nil) async throws -> Int {
    let now = clock.now()
    return try await store.writeRows { db in try FeedPruning.prune(db, at: now, applied: applied) }
  }

  private func gap(after position: Watermark, _ store: SQLitePrimaryStore) async throws -> MemoryChange.Gap? {
    try await store.watchedChanges(after: position, in: .everything, limit: 1).gap
  }

  private func position(_ revision: Int64, _ store: SQLitePrimaryStore) async throws -> Watermark {
    try await store.readRows { db in
      Watermark(
        revision: revision,
        nonce: try Int64.fetchOne(db, sql: "SELECT nonce FROM changes WHERE revision = ?", arguments: [revision]) ?? 0)
    }
  }

  @Test func `a watcher that is 200,000 changes behind has no gap, and one that is further behind has one`()
    async throws
  {
    let store = try await store()
    try await add(10, to: store)
    let (last, before) = (try await position(10, store), try await position(9, store))
    _ = try await prune(store)
    try await add(Int(FeedPruning.length), to: store)
    clock.advance(by: .seconds(25 * 3600))
    _ = try await prune(store)
    clock.advance(by: .seconds(25 * 3600))
    _ = try await prune(store)
    #expect(try await gap(after: last, store) == nil)
    #expect(try await gap(after: before, store) == .pruned)
  }

  @Test func `the changes of a day stay, and a million at most`() async throws {
    let store = try await store()
    try await add(100, to: store)
    _ = try await prune(store)
    let first = try await position(1, store)
    try await add(300_000, to: store)
    clock.advance(by: .seconds(23 * 3600))
    #expect(try await prune(store) == 0)
    #expect(try await gap(after: first, store) == nil)
    clock.advance(by: .seconds(2 * 3600))
    // What was there 25 hours ago.
    #expect(try await prune(store) == 99)
    try await add(800_000, to: store)
    #expect(try await prune(store) > 0)
    #expect(
      try await store.readRows { db in try Int64.fetchOne(db, sql: "SELECT count(*) FROM changes") } == FeedPruning
        .bound + 1)
  }

  @Test func `what a follower has not applied stays`() async throws {
    let store = try await store()
    try await add(100, to: store)
    _ = try await prune(store)
    try await add(250_000, to: store)
    for _ in 0..<2 {
      clock.advance(by: .seconds(25 * 3600))
      #expect(try await prune(store, applied: 50) <= 49)
    }
    #expect(try await gap(after: position(50, store), store) == nil)
    #expect(try await prune(store) > 40_000)
  }

  @Test func `a clock that goes back takes nothing away`() async throws {
    let store = try await store()
    for _ in 0..<3 {
      try await add(150_000, to: store)
      clock.advance(by: .seconds(-3 * 86_400))
      #expect(try await prune(store) == 0)
    }
  }
}
