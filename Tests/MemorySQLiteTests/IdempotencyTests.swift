import EpisodicMemory
import GRDB
import Logging
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `Idempotency keys` {
  private let draft = Episode.Draft(
    .testing, domain: "web", context: "a private task", session: "s", metadata: ["branch": "main"])

  private func count(_ table: String, _ bench: Bench) async throws -> Int? {
    try await bench.primary.readRows { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") }
  }

  @Test func `a request that comes again gets the first answer and writes nothing`() async throws {
    let bench = try await Bench()
    let memory = bench.memory
    let begun = try await memory.begin(draft, idempotencyKey: "k1")
    let steps: [Step.Draft] = [
      .init("swift test", result: "1 failure", tool: "bash", duration: .milliseconds(1500), success: false),
      .init("think", number: 7, timestamp: Timestamp(milliseconds: 5)), .init("look"),
    ]
    let appended = try await memory.append(steps, to: begun.id, idempotencyKey: "k2")
    let one = try await memory.append(Step.Draft("once"), to: begun.id, idempotencyKey: "k3")
    bench.clock.advance(by: .seconds(60))
    try await memory.append(Step.Draft("without a key"), to: begun.id)
    try await memory.complete(begun.id)
    let before = try await memory.statistics().primary.watermark
    #expect(try await memory.begin(draft, idempotencyKey: "k1") == begun)
    #expect(try await memory.append(steps, to: begun.id, idempotencyKey: "k2") == appended)
    #expect(try await memory.append(Step.Draft("once"), to: begun.id, idempotencyKey: "k3") == one)
    let again = try await memory.write { batch in
      let episode = try batch.begin(.init(.testing, domain: "web", context: "new"), idempotencyKey: "k4")
      return [episode, try batch.begin(.init(.testing, domain: "web", context: "new"), idempotencyKey: "k4")]
    }
    #expect(again[0] == again[1])
    #expect(try await memory.episodes(in: .everything).elements.count == 2)
    #expect(try await memory.statistics().primary.watermark.revision == before.revision + 1)
    #expect(try await memory.episode(begun.id)?.steps.count == 5)
  }

  @Test func `the key of another request is a conflict that names it, and writes nothing`() async throws {
    let bench = try await Bench()
    let memory = bench.memory
    let begun = try await memory.begin(draft, idempotencyKey: "the-key")
    try await memory.append(Step.Draft("one"), to: begun.id, idempotencyKey: "steps")
    var other = draft
    other.context = "another"
    var named = draft
    named.id = "named"
    let attempts: [@Sendable () async throws -> Void] = [
      { [other] in try await memory.begin(other, idempotencyKey: "the-key") },
      { [named] in try await memory.begin(named, idempotencyKey: "the-key") },
      { try await memory.append(Step.Draft("one"), to: begun.id, idempotencyKey: "the-key") },
      { try await memory.append(Step.Draft("two"), to: begun.id, idempotencyKey: "steps") },
      { try await memory.append(Step.Draft("one", success: true), to: begun.id, idempotencyKey: "steps") },
      { try await memory.append([Step.Draft("one"), Step.Draft("one")], to: begun.id, idempotencyKey: "steps") },
    ]
    for attempt in attempts {
      let error = await failure(attempt)
      #expect(error?.code == .conflict)
      #expect(error?.message.contains("the-key") == true || error?.message.contains("steps") == true)
    }
    for bad in ["", String(repeating: "k", count: 129), "a\0b"] {
      #expect(await failure { try await memory.begin(self.draft, idempotencyKey: bad) }?.code == .invalid)
    }
    #expect(try await memory.episodes(in: .everything).elements.count == 1)
    #expect(try await memory.episode(begun.id)?.steps.count == 1)
  }

  /// I8.
  @Test func `each domain has keys of its own, and an episode of another domain does not exist`() async throws {
    let bench = try await Bench()
    let (web, other) = (bench.memory.domain("web"), bench.memory.domain("other"))
    let mine = try await web.begin(.testing, context: "mine", idempotencyKey: "k")
    let theirs = try await other.begin(.analysis, context: "theirs", idempotencyKey: "k")
    #expect(mine.id != theirs.id)
    #expect(try await web.begin(.testing, context: "mine", idempotencyKey: "k") == mine)
    let step = try await other.append(Step.Draft("x"), to: theirs.id, idempotencyKey: "s")
    #expect(
      await failure { try await web.append(Step.Draft("x"), to: theirs.id, idempotencyKey: "s") }?.code == .notFound)
    #expect(try await web.append(Step.Draft("y"), to: mine.id, idempotencyKey: "s").number == 1)
    #expect(try await other.append(Step.Draft("x"), to: theirs.id, idempotencyKey: "s") == step)
  }

  @Test func `a key is known after a restart, and of two that use it at one moment one writes`() async throws {
    let store = try TestStore()
    let begun = try await store.use { primary in
      try await Memory(primary: primary, cache: NoCache(because: "a test")).begin(draft, idempotencyKey: "k")
    }
    // Two connections that write, as two processes have them.
    let (first, second) = (try await store.open(), try await store.open())
    let memories = [first, second].map { Memory(primary: $0, cache: NoCache(because: "a test")) }
    #expect(try await memories[0].begin(draft, idempotencyKey: "k").id == begun.id)
    let request = draft
    let answers = try await withThrowingTaskGroup(of: [String].self) { group in
      for number in 0..<40 {
        let memory = memories[number % 2]
        group.addTask {
          let episode = try await memory.begin(request, idempotencyKey: "race \(number / 8)")
          let step = try await memory.append(Step.Draft("x"), to: begun.id, idempotencyKey: "step \(number / 8)")
          return ["\(number / 8)", episode.id.rawValue, "\(step.number)", step.id.rawValue]
        }
      }
      return try await group.reduce(into: Set<[String]>()) { $0.insert($1) }
    }
    #expect(answers.count == 5)
    #expect(try await memories[0].episodes(in: .everything).elements.count == 6)
    #expect(try await memories[0].episode(begun.id)?.steps.map(\.number) == Array(1...5))
    try await first.close()
    try await second.close()
  }

  @Test(arguments: [
    "DELETE FROM episodes", "UPDATE episodes SET domain = 'elsewhere'",
    "INSERT OR REPLACE INTO episodes (id, task_type, domain, context, created_at) SELECT id, 't', 'web', 'x', 1 FROM episodes",
    "INSERT OR REPLACE INTO episodes (seq, id, task_type, domain, context, created_at) SELECT seq, 'new', 't', 'web', 'x', 1 FROM episodes",
  ])
  func `whoever removes the episode, a repetition does not bring it back, and nothing of the request is left`(
    _ script: String
  ) async throws {
    let store = try TestStore()
    let id = try await store.use { primary in
      let memory = Memory(primary: primary, cache: NoCache(because: "a test"))
      let begun = try await memory.begin(draft, idempotencyKey: "k")
      try await memory.append(Step.Draft("x"), to: begun.id, idempotencyKey: "s")
      return begun.id
    }
    try store.otherProgram.run(script)
    #expect(
      try store.otherProgram.strings("SELECT DISTINCT coalesce(digest, 'none') || answer FROM idempotency_keys")
        == ["none[]"])
    try await store.use { primary in
      let memory = Memory(primary: primary, cache: NoCache(because: "a test"))
      let rows = try await memory.episodes(in: .everything).elements.count
      let error = await failure { try await memory.begin(draft, idempotencyKey: "k") }
      #expect(error?.code == .notFound && error?.message.contains("\"k\"") == true)
      let web = memory.domain("web")
      #expect(await failure { try await web.append(Step.Draft("x"), to: id, idempotencyKey: "s") }?.code == .notFound)
      #expect(try await memory.episodes(in: .everything).elements.count == rows)
      #expect(try await primary.failedChecks().isEmpty)
    }
  }

  @Test func `a request that fails leaves its key unused`() async throws {
    let bench = try await Bench()
    let memory = bench.memory
    let begun = try await memory.begin(draft)
    try await memory.complete(begun.id)
    #expect(
      await failure { try await memory.append(Step.Draft("x"), to: begun.id, idempotencyKey: "k") }?.code == .conflict)
    #expect(try await count("idempotency_keys", bench) == 0)
    try await memory.reopen(begun.id)
    #expect(try await memory.append(Step.Draft("another"), to: begun.id, idempotencyKey: "k").number == 1)
  }

  @Test func `a row has nothing of the content of the request`() async throws {
    let bench = try await Bench()
    let begun = try await bench.memory.begin(draft, idempotencyKey: "k")
    try await bench.memory.append(Step.Draft("secret action", result: "secret"), to: begun.id, idempotencyKey: "s")
    let rows = try await bench.primary.readRows { db in
      try String.fetchAll(
        db, sql: "SELECT concat FROM (SELECT key || verb || hex(digest) || answer AS concat FROM idempotency_keys)")
    }
    #expect(rows.count == 2 && rows.allSatisfy { !$0.contains("secret") && !$0.contains("private") })
  }

  @Test func `keys are kept for 7 days and then pruned by the maintenance of the feed, by an index`() async throws {
    let directory = try TemporaryDirectory()
    let clock = ManualClock()
    let primary = try await SQLitePrimaryStore(
      path: directory.file("memory.sqlite"), durability: .normal, clock: clock, logger: Logger(label: "test"))
    let memory = Memory(primary: primary, cache: NoCache(because: "a test"), clock: clock)
    func keys() async throws -> [String] {
      try await primary.readRows { db in try String.fetchAll(db, sql: "SELECT key FROM idempotency_keys ORDER BY key") }
    }
    let begun = try await memory.begin(draft, idempotencyKey: "old")
    clock.advance(by: .seconds(1))
    try await memory.append(Step.Draft("x"), to: begun.id, idempotencyKey: "young")
    for _ in 0..<7 {
      clock.advance(by: .seconds(24 * 3600))
      try await memory.applyRetention()
    }
    for number in 0..<300 { try await memory.append(Step.Draft("\(number)"), to: begun.id) }
    #expect(try await keys() == ["young"])
    #expect(try await memory.append(Step.Draft("x"), to: begun.id, idempotencyKey: "young").number == 1)
    let plan = try await primary.readRows { db in
      try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + IdempotencyKeys.pruning, arguments: [1, 1])
        .map { $0["detail"] as String }
    }
    #expect(plan.contains { $0.contains("idempotency_keys_by_age (created_at<?)") }, "\(plan)")
    #expect(!plan.contains { $0.contains("SCAN") || $0.contains("TEMP B-TREE") }, "\(plan)")
    try await primary.close()
  }
}

@Suite struct `Idempotency keys and the clock` {
  @Test func `a clock that jumped ahead prunes no key`() async throws {
    let clock = ManualClock()
    let primary = try await SQLitePrimaryStore(inMemoryWith: Logger(label: "test"), clock: clock)
    let memory = Memory(primary: primary, cache: NoCache(because: "a test"), clock: clock)
    let draft = Episode.Draft(.testing, domain: "d", context: "x")
    let begun = try await memory.begin(draft, idempotencyKey: "key")
    clock.advance(by: .seconds(400 * 86_400))
    for number in 0..<300 { try await memory.append(Step.Draft("\(number)"), to: begun.id) }
    #expect(try await memory.begin(draft, idempotencyKey: "key").id == begun.id)
    #expect(try await memory.maintain(.init(tasks: [.keys]))[.keys]?.counts == [:])
    _ = try await memory.applyRetention(acceptingClock: true)
    #expect(try await memory.maintain(.init(tasks: [.keys]))[.keys]?.counts == ["deleted": 1])
  }
}

@Suite struct `Over-long texts` {
  private func memory(_ directory: TemporaryDirectory, fieldBytes: Int) async throws -> Memory {
    Memory(
      primary: try await SQLitePrimaryStore(path: directory.file("memory.sqlite"), logger: Logger(label: "test")),
      cache: NoCache(because: "a test"), limits: Memory.Limits(fieldBytes: fieldBytes))
  }

  @Test func `are refused by default, and kept cut if the step allows it, which the episode's metadata say`()
    async throws
  {
    let directory = try TemporaryDirectory()
    let memory = try await memory(directory, fieldBytes: 1000)
    let episode = try await memory.begin(.init(.testing, domain: "d", context: "", metadata: ["branch": "main"]))
    let long = "first\n" + String(repeating: "middle line é\n", count: 500) + "last"
    let refused = await failure { try await memory.append(Step.Draft("x", result: long), to: episode.id) }
    #expect(refused?.code == .limitExceeded && refused?.message.contains("1000") == true)
    try await memory.append(Step.Draft("short", overlong: .cut), to: episode.id)
    #expect(try await memory.episode(episode.id)?.metadata == ["branch": "main"])
    let appended = try await memory.append(
      [Step.Draft("a", result: long, overlong: .cut), Step.Draft(long, result: "r", overlong: .cut)], to: episode.id)
    let result = try #require(appended[0].result)
    #expect(result.utf8.count <= 1000 && result.utf8.count > 900)
    #expect(result.hasPrefix("first\nmiddle") && result.hasSuffix("last"))
    let marker = try #require(result.split(separator: "\n").compactMap { OmissionMarker($0) }.first)
    #expect(marker.bytes > long.utf8.count - 1000 && marker.bytes < long.utf8.count && marker.lines > 400)
    let kept = try #require(try await memory.episode(episode.id))
    #expect(kept.steps.suffix(2) == appended[...])
    let bytes = JSON.integer(Int64(long.utf8.count))
    #expect(
      kept.metadata
        == ["branch": "main", "cut_steps": ["2": ["result_bytes": bytes], "3": ["action_bytes": bytes]]])
    // In a batch, and when it comes again.
    let step = Step.Draft("b", result: long, overlong: .cut)
    let first = try await memory.append(step, to: episode.id, idempotencyKey: "k")
    #expect(try await memory.append(step, to: episode.id, idempotencyKey: "k") == first)
    try await memory.write { batch in try batch.append(step, to: episode.id) }
    let cuts = try await memory.episode(episode.id)?.metadata["cut_steps"]?.members
    #expect(cuts.map { Array($0).map(\.name) } == ["2", "3", "4", "5"])
  }

  @Test(arguments: [200, 201, 202, 203, 300, 999, 1000, 1001])
  func `are cut between characters, at any limit`(_ limit: Int) async throws {
    let directory = try TemporaryDirectory()
    let memory = try await memory(directory, fieldBytes: limit)
    let episode = try await memory.begin(.init(.testing, domain: "d", context: ""))
    for unit in ["a", "é", "e\u{301}", "👩‍👩‍👧‍👦", "日本", "\r\n"] {
      let long = String(repeating: unit, count: 1200)
      let step = try await memory.append(Step.Draft("x", result: long, overlong: .cut), to: episode.id)
      let kept = try #require(step.result)
      #expect(kept.utf8.count <= limit)
      let parts = kept.split(separator: "\n", omittingEmptySubsequences: false).filter { OmissionMarker($0) == nil }
      for part in parts where unit != "\r\n" {
        #expect(part.replacing(unit == "日本" ? "日" : unit, with: "").replacing("本", with: "").isEmpty, "\(part)")
      }
    }
  }
}
