import EpisodicMemory
import Foundation
import TestSupport
import Testing

@testable import MemorySQLite

/// What watchers are told, whoever writes.
///
/// Episode "a" of the domain `private` has the steps "a/1" and "a/2", the vectors "ma" and "ms" (of its first step) and the
/// pattern "p"; episode "b" of `public` has the step "b/1" and the vector "mb".
@Suite struct `What watchers are told of a change` {
  static let hash = TestStore.patternData.canonicalHash
  static let episode = "episodes (id, task_type, domain, context, created_at) VALUES"
  static let step = "steps (id, episode_id, step_number, action, timestamp) VALUES"
  static let vector =
    "embeddings (id, episode_id, content, embedding, model_name, dimensions, created_at) VALUES"
  static let pattern = "patterns (id, pattern_type, pattern_data, data_hash, created_at) VALUES"
  static let other = JSON.integer(1).canonicalHash

  static let scripts: [(sql: String, told: [String])] = [
    ("INSERT INTO \(episode) ('c', 't', 'd', 'x', 1)", ["inserted episode c in d"]),
    ("INSERT INTO \(step) ('a/3', 'a', 3, 'x', 1)", ["inserted step 3 of a in private"]),
    ("UPDATE episodes SET context = 'x' WHERE id = 'a'", ["updated episode a in private"]),
    ("UPDATE steps SET success = 0 WHERE id = 'a/2'", ["updated step 2 of a in private"]),
    (
      "UPDATE steps SET step_number = 9 WHERE id = 'a/2'",
      ["deleted step 2 of a in private", "inserted step 9 of a in private"]
    ),
    ("DELETE FROM steps WHERE id = 'a/2'", ["deleted step 2 of a in private"]),
    ("DELETE FROM embeddings WHERE id = 'mb'", ["deleted embedding mb in public", "updated episode b in public"]),
    // The change of the episode stands for what belongs to it.
    ("DELETE FROM episodes WHERE id = 'a'", ["deleted episode a in private"]),
    ("DELETE FROM patterns WHERE id = 'p'", ["deleted pattern error_resolution \(hash)"]),
    ("UPDATE patterns SET usage_count = 7 WHERE id = 'p'", ["updated pattern error_resolution \(hash)"]),
    (
      "UPDATE episodes SET domain = 'elsewhere' WHERE id = 'b'",
      ["deleted episode b in public", "inserted episode b in elsewhere"]
    ),
    // An insert that does nothing, or only updates, is told as such.
    ("INSERT OR IGNORE INTO \(episode) ('a', 't', 'd', 'x', 1)", []),
    (
      "INSERT INTO \(episode) ('a', 't', 'd', 'x', 1) ON CONFLICT (id) DO UPDATE SET context = 'y'",
      ["updated episode a in private"]
    ),
    ("INSERT OR IGNORE INTO \(step) ('b/1', 'b', 1, 'x', 1)", []),
    ("INSERT OR IGNORE INTO \(vector) ('mb', 'b', '', x'0000803f00000000', 'm', 2, 1)", []),
    ("INSERT OR IGNORE INTO \(pattern) ('p', 't', '1', '\(other)', 1)", []),
    // One that replaces is an insert, and a delete of what has another name or domain.
    (
      "INSERT OR REPLACE INTO \(episode) ('b', 't', 'elsewhere', 'x', 1)",
      [
        "deleted episode b in public", "inserted episode b in elsewhere", "deleted step 1 of b in elsewhere",
        "deleted embedding mb in elsewhere", "updated episode b in elsewhere",
      ]
    ),
    (
      "INSERT OR REPLACE INTO episodes (seq, id, task_type, domain, context, created_at) VALUES (2, 'c', 't', 'd', 'x', 1)",
      ["deleted episode b in public", "inserted episode c in d"]
    ),
    // The new step takes the number of one and the id of another.
    (
      "INSERT OR REPLACE INTO \(step) ('b/1', 'a', 2, 'x', 1)",
      ["inserted step 2 of a in private", "deleted step 1 of b in public"]
    ),
    (
      "INSERT OR REPLACE INTO embeddings (seq, id, episode_id, content, embedding, model_name, dimensions, created_at) "
        + "VALUES (3, 'mc', 'a', '', x'0000803f00000000', 'm', 2, 1)",
      ["deleted embedding mb in public", "inserted embedding mc in private", "updated episode a in private"]
    ),
    (
      "INSERT OR REPLACE INTO \(pattern) ('p', 't', '1', '\(other)', 1)",
      ["deleted pattern error_resolution \(hash)", "inserted pattern t \(other)"]
    ),
  ]

  @Test(arguments: scripts.indices, [false, true]) func `is what another program did`(
    _ index: Int, _ foreignKeys: Bool
  ) async throws {
    let store = try TestStore()
    try await store.fill()
    try await store.use { primary in
      let before = try await primary.watchedChanges(after: nil, in: .everything, limit: 0).end
      var shell = store.otherProgram
      shell.foreignKeys = foreignKeys
      try shell.run(Self.scripts[index].sql)
      let told = try await primary.watchedChanges(after: before, in: .everything, limit: 100).changes.map(\.summary)
      // The order is that of the statements; within one, that of SQLite's triggers, but for the two halves of a move.
      let expected = Set(Self.scripts[index].told)
      // With foreign keys, what belongs to an episode that is replaced goes before the new one comes, and is implied.
      let implied = foreignKeys ? expected.filter { $0.hasSuffix(" in elsewhere") && !$0.contains("inserted") } : []
      #expect(Set(told).union(implied) == expected.union(implied), "\(Self.scripts[index].sql): \(told)")
      #expect(Set(told).count == told.count)
      let halves = Self.scripts[index].told.prefix(2)
      if halves.count == 2, halves[0].hasPrefix("deleted episode") {
        #expect(told.filter(halves.contains) == Array(halves))
      }
      // I8: a domain is shown its own changes and no others.
      for domain in ["private", "public", "elsewhere"] {
        let shown = try await primary.watchedChanges(after: before, in: .domain(domain), limit: 100)
        #expect(shown.changes.map(\.summary) == told.filter { $0.hasSuffix(" in \(domain)") })
        #expect(shown.isComplete)
      }
      #expect(try await primary.failedChecks().isEmpty)
    }
  }

  @Test func `with recursive triggers a replaced row is deleted once`() async throws {
    let store = try TestStore()
    try await store.fill()
    try await store.use { primary in
      let before = try await primary.watchedChanges(after: nil, in: .everything, limit: 0).end
      try store.otherProgram.run(
        """
        PRAGMA recursive_triggers = ON;
        INSERT OR REPLACE INTO episodes (seq, id, task_type, domain, context, created_at) VALUES (2, 'c', 't', 'd', 'x', 1)
        """)
      let told = try await primary.watchedChanges(after: before, in: .everything, limit: 100).changes.map(\.summary)
      #expect(told.sorted() == ["deleted episode b in public", "inserted episode c in d"])
    }
  }

  @Test func `changes that an earlier schema recorded are told without a kind`() async throws {
    let earlier = try await EarlierStore(version: 7)
    try await earlier.store.use { primary in
      let batch = try await primary.watchedChanges(after: .beginning, in: .domain("web"), limit: 1000)
      #expect(batch.gap == nil && batch.isComplete)
      #expect(batch.changes.allSatisfy { $0.kind == nil })
      #expect(batch.changes.first?.subject == .episode("e1"))
      #expect(batch.changes.contains { $0.subject == .step(of: "e1", number: nil) })
    }
  }
}

extension MemoryChange {
  /// `inserted step 3 of a in private`.
  fileprivate var summary: String {
    let what =
      switch subject {
      case .episode(let id): "episode \(id)"
      case .step(let id, let number): "step \(number.map(String.init) ?? "?") of \(id)"
      case .pattern(let type, let hash): "pattern \(type.rawValue) \(hash)"
      case .embedding(let id): "embedding \(id)"
      case .erased(let subject, let digest): "erased \(subject.rawValue) \(digest)"
      }
    return (kind.map { "\($0)" } ?? "changed") + " " + what + (domain.map { " in \($0)" } ?? "")
  }
}
