import Episodic
import EpisodicMemory
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@Suite struct `Deleting an episode of many steps` {
  private static let day = Duration.seconds(86_400)

  /// A store with a long episode, whose deletion by a policy has been cut short after a number of slices, and a short one.
  private static func withCutDeletion(
    slices: Int, _ body: (Memory, ManualClock, MemoryChange.Cursor) async throws -> Void
  ) async throws {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    var long = Episode.sample("long", steps: (0..<1500).map { "needle \($0)" }, at: clock.now().milliseconds)
    long.session = "s"
    try await memory.insert(
      [long],
      embeddings: [
        .init(of: "long", content: "x", vector: [1, 2], model: "m"),
        .init(of: "long", step: long.steps[1499].id, content: "x", vector: [1, 2], model: "m"),
      ])
    let pattern = try await memory.record(.init(.optimization, data: ["n": 1]))
    try await memory.link(pattern.id, to: "long")
    clock.advance(by: day * 5)
    try await memory.insert([.sample("short", domain: "other", steps: ["needle"], at: clock.now().milliseconds)])
    #expect(try await memory.recall(Query(text: "needle", scope: .everything)).count == 2)
    let cursor = try await memory.changeCursor()
    try await memory.applyRetention(acceptingClock: true)
    try await memory.setRetention(RetentionPolicy(archiveAfter: day * 3, deleteArchivedAfter: day * 3))
    let calls = Atomic(0)
    let cut = Task {
      try await memory.maintain(.init(tasks: [.retention])) { _ in
        // The first call is of the begin.
        if calls.add(1, ordering: .relaxed).newValue == slices + 1 { withUnsafeCurrentTask { $0?.cancel() } }
      }
    }
    await #expect(throws: MemoryError.self) { try await cut.value }
    try await body(memory, clock, cursor)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check)") }
    try await memory.close()
  }

  @Test(arguments: 1...3) func `no read shows it after the first slice`(slices: Int) async throws {
    try await Self.withCutDeletion(slices: slices) { memory, _, cursor in
      #expect(try await memory.episode("long") == nil)
      for scope in [Query.Scope.everything, .domain("swift"), .domain("\u{1}deleted")] {
        let listed = try await memory.episodes(in: scope, after: nil, limit: 10).elements.map(\.id)
        #expect(listed == (scope == .everything ? ["short"] : []), "\(scope)")
        if scope == .domain("\u{1}deleted") { continue }
        let found = try await memory.recall(Query(text: "needle", scope: scope)).map(\.episode.id)
        #expect(found == (scope == .everything ? ["short"] : []), "\(scope)")
        let near = try await memory.recall(Query(vector: [1, 2], scope: scope)).map(\.episode.id)
        #expect(near.isEmpty, "\(scope)")
      }
      let error = await #expect(throws: MemoryError.self) { try await memory.steps(of: "long", after: nil, limit: 10) }
      #expect(error?.code == .notFound)
      #expect(try await memory.domains().map(\.name) == ["other"])
      #expect(try await memory.sessions(in: .everything, after: nil, limit: 10).elements.isEmpty)
      #expect(try await memory.episodesAsRecorded(after: nil, limit: 10).elements.map(\.id) == ["short"])
      #expect(try await memory.embeddings(of: "long").isEmpty)
      let statistics = try await memory.statistics().primary
      #expect(statistics.episodes.values.reduce(0, +) == 1 && statistics.steps == 1 && statistics.spaces.isEmpty)
      #expect(try await memory.analytics(in: .everything).total.episodes.total == 1)
      // A watcher is told once.
      let end = try await memory.changeCursor()
      var told: [MemoryChange] = []
      for try await case .change(let change) in memory.changes(after: cursor, in: .everything) {
        told.append(change)
        if change.cursor == end || told.count > 0 { break }
      }
      #expect(told.map(\.kind) == [.deleted] && told.map(\.subject) == [.episode("long")], "\(told)")
    }
  }

  @Test func `no verb reaches it, and its id can be used again`() async throws {
    try await Self.withCutDeletion(slices: 2) { memory, clock, _ in
      let verbs: [(Memory) async throws -> Void] = [
        { _ = try await $0.reopen("long") }, { _ = try await $0.append([Step.Draft("x")], to: "long") },
        { _ = try await $0.update("long", with: .init(context: "x")) }, { _ = try await $0.archive("long") },
      ]
      for verb in verbs {
        let error = await #expect(throws: MemoryError.self) { try await verb(memory) }
        #expect(error?.code == .notFound)
      }
      #expect(try await !memory.delete("long"))
      for domain in ["\u{1}deleted"] {
        let error = await #expect(throws: MemoryError.self) {
          try await memory.insert([.sample("x", domain: domain)])
        }
        #expect(error?.code == .invalid)
      }
      try await memory.insert([.sample("long", domain: "third", steps: ["one"], at: clock.now().milliseconds)])
      #expect(try await memory.episode("long")?.steps.count == 1)
      #expect(try await memory.applyRetention().finished == 0)
      #expect(try await memory.episode("long")?.domain == "third")
    }
  }

  @Test func `the next run removes the rest and counts it`() async throws {
    try await Self.withCutDeletion(slices: 2) { memory, clock, _ in
      #expect(try await memory.primaryStore.hasDeletedRows())
      let report = try await memory.maintain(.init(tasks: [.retention]))
      #expect(report[.retention]?.counts["finished"] == 1, "\(report)")
      #expect(try await memory.statistics().primary.steps == 1)
      #expect(try await memory.applyRetention().finished == 0)
    }
  }

  @Test func `a slice ends after 256 KiB of text`() async throws {
    let clock = ManualClock()
    let memory = try await Memory.inMemory(clock: clock)
    let text = String(repeating: "word ", count: 6000)
    try await memory.insert([.sample("e", steps: (0..<100).map { _ in text }, at: clock.now().milliseconds)])
    try await memory.setRetention(RetentionPolicy(deleteArchivedAfter: Self.day / 2))
    try await memory.archive("e")
    clock.advance(by: Self.day)
    let slices = Atomic(0)
    let report = try await memory.maintain(.init(tasks: [.retention])) { _ in slices.add(1, ordering: .relaxed) }
    // 3 MB of text, eight steps of 30 KB at a time.
    #expect(report[.retention]?.counts["delete_archived_after"] == 1)
    #expect(slices.load(ordering: .relaxed) >= 12)
    #expect(try await memory.statistics().primary.steps == 0)
  }

  @Test func `words are added to texts of other programs 256 KiB at a time`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("e")])
    try await DatabaseQueue(path: store.path + "/memory.sqlite").write { db in
      for number in 1...60 {
        try db.execute(
          sql: "INSERT INTO steps (id, episode_id, step_number, action, timestamp) VALUES (?, 'e', ?, ?, 0)",
          arguments: ["s\(number)", number, String(repeating: "readFile ", count: 4000)])
      }
    }
    let most = Atomic(0)
    let last = Atomic(0)
    let report = try await memory.maintain(.init(tasks: [.words])) { progress in
      let slice = progress.done - last.exchange(progress.done, ordering: .relaxed)
      most.max(slice, ordering: .relaxed)
    }
    // The store adds some by itself.
    #expect(report[.words]?.outcome == .done)
    #expect((1...8).contains(most.load(ordering: .relaxed)))
    let left = try await DatabaseQueue(path: store.path + "/memory.sqlite").read { db in
      try Int.fetchOne(db, sql: "SELECT count(*) FROM steps WHERE added IS NULL")
    }
    #expect(left == 0)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check)") }
    try await memory.close()
  }
}
