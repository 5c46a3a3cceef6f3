import Foundation
import GRDB
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

@Suite struct `Reports of a ledger` {
  private static let day: Int64 = 86_400_000

  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func `every report equals a plain loop over the rows`(_ seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed &* 977)
    // Some days after a change of the clock, some within the year.
    let now =
      1_774_800_000_000 + Int64.random(in: 0..<3 * Self.day, using: &random)
      + Int64.random(in: 0...1, using: &random) * 182 * Self.day
    let clock = ManualClock(Timestamp(milliseconds: now))
    let ledger = try await Ledger.inMemory(clock: clock)
    let oracle = ReportOracle(seed: seed, now: now)
    try await oracle.write(to: ledger)
    let windows: [Int64] = [Self.day, 30 * Self.day, 7 * Self.day, 1]
    let window = windows.randomElement(using: &random) ?? 1
    let length = Duration.milliseconds(window)
    #expect(try await ledger.categoryReport(over: length) == oracle.categories(window))
    #expect(try await ledger.queueDepth() == oracle.queue())
    #expect(try await ledger.errorRates(over: length) == oracle.errorRates(window))
    #expect(try await ledger.errorsByPerson(over: length) == oracle.errorsByPerson(window))
    for dimension in Ledger.Cost.Dimension.allCases {
      let costs = try await ledger.costs(by: dimension, over: length)
      #expect(Set(costs) == oracle.costs(dimension, window), "\(dimension)")
      #expect(costs.map(\.cost) == costs.map(\.cost).sorted(by: >), "\(dimension)")
    }
    let pages = try await ledger.pageUse(over: length)
    #expect((pages.hits, pages.misses) == oracle.pages(window))
    for name in ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"] {
      let zone = try #require(TimeZone(identifier: name))
      let days = try await ledger.taskTrend(days: 9, in: zone).map {
        ReportOracle.Day(
          added: $0.added, completed: $0.completed, failed: $0.failed, cancelled: $0.cancelled,
          mean: $0.meanMilliseconds)
      }
      #expect(days == oracle.trend(9, zone), "\(name)")
      let costs = try await ledger.costTrend(days: 9, in: zone).map {
        ReportOracle.Spent(cost: $0.cost, tokens: $0.tokens, prompts: $0.prompts)
      }
      #expect(costs == oracle.costTrend(9, zone), "\(name)")
    }
    let sizes = try await Dictionary(
      uniqueKeysWithValues: ledger.tableSizes().map { ($0.name, $0.rows) })
    #expect(sizes["tasks"] == oracle.tasks.count && sizes["events"] == oracle.events.count)
    #expect(sizes["runs"] == oracle.runs.count && sizes["page_hours"] == oracle.hours.count)
    #expect(
      (sizes["prompts"], sizes["tool_calls"])
        == (oracle.entries.count { $0.isPrompt }, oracle.entries.count { !$0.isPrompt }))
  }

  @Test func `an empty ledger has empty reports, and days without anything`() async throws {
    let ledger = try await Ledger.inMemory(clock: ManualClock())
    #expect(try await ledger.categoryReport().isEmpty)
    #expect(try await ledger.errorRates().isEmpty)
    #expect(try await ledger.costs(by: .model).isEmpty)
    #expect(try await ledger.taskTrend().map(\.added) == Array(repeating: 0, count: 7))
    #expect(try await ledger.taskTrend().allSatisfy { $0.successRate == nil })
    #expect(try await ledger.pageUse().hitRate == nil)
    #expect(try await ledger.queueDepth().map(\.priority) == Ledger.Task.Priority.allCases)
    #expect(try await ledger.orphans().map(\.count) == Ledger.Orphans.Kind.allCases.map { _ in 0 })
  }

  @Test(arguments: [
    ("America/Sao_Paulo", "2018-11-04T15:00:00Z", "2018-11-04T03:00:00Z"),  // Has no midnight.
    ("Europe/Berlin", "2026-03-29T21:00:00Z", "2026-03-28T23:00:00Z"),  // Has 23 hours.
    ("Asia/Kathmandu", "2026-01-02T20:00:00Z", "2026-01-02T18:15:00Z"),
    ("Pacific/Apia", "2011-12-31T01:00:00Z", "2011-12-30T10:00:00Z"),  // Skipped the day before.
  ])
  func `a day begins at the first moment of its date`(_ name: String, _ now: String, _ start: String) async throws {
    let zone = try #require(TimeZone(identifier: name))
    let days = try ReportDays(3, in: zone, until: #require(Timestamp(now))).days
    #expect(days.last?.start == Timestamp(start))
    #expect(zip(days, days.dropFirst()).allSatisfy { $0.end == $1.start && $0.start < $0.end })
  }

  @Test func `a window or a count that makes no sense is refused`() async throws {
    let ledger = try await Ledger.inMemory(clock: ManualClock())
    #expect(await refusal { _ = try await ledger.categoryReport(over: .zero) } == .invalid)
    #expect(await refusal { _ = try await ledger.errorRates(over: .seconds(-1)) } == .invalid)
    #expect(await refusal { _ = try await ledger.pageUse(over: .seconds(Int64.max)) } == .invalid)
    #expect(await refusal { _ = try await ledger.taskTrend(days: 0) } == .invalid)
    #expect(await refusal { _ = try await ledger.costTrend(days: 3661) } == .invalid)
    #expect(await refusal { _ = try await ledger.costs(by: .agent, limit: 0) } == .invalid)
    #expect(await refusal { _ = try await ledger.errorsByPerson(limit: 1001) } == .invalid)
    #expect(await refusal { _ = try await ledger.orphans(silentFor: .zero) } == .invalid)
  }

  @Test(arguments: Ledger.Cost.Dimension.allCases)
  func `costs beyond 64 bits are an error and no trap`(_ dimension: Ledger.Cost.Dimension) async throws {
    let ledger = try await Ledger.inMemory(clock: ManualClock())
    for _ in 0..<2 {
      let run = try await ledger.start(.init(.testing, domain: "d")).id
      var draft = Ledger.Prompt.Draft("p")
      draft.cost = .max
      try await ledger.add([.prompt(draft)], to: run)
    }
    #expect(await refusal { _ = try await ledger.costs(by: dimension) } == .limitExceeded)
    #expect(await refusal { _ = try await ledger.costTrend() } == .limitExceeded)
  }

  @Test func `orphans are found by kind, with their ids`() async throws {
    let clock = ManualClock()
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.register(worker: "gone", kind: "browser")
    try await ledger.register(worker: "w", kind: "browser")
    let first = try await ledger.add(Ledger.Task.Draft("t", domain: "d")).task.id
    let second = try await ledger.add(Ledger.Task.Draft("t", domain: "d")).task.id
    _ = try await ledger.claim(by: "gone", lease: .seconds(60))
    _ = try await ledger.claim(by: "w", lease: .seconds(900))
    let run = try await ledger.start(.init(.testing, domain: "d", task: second)).id
    #expect(try await ledger.orphans().allSatisfy { $0.count == 0 })
    clock.advance(by: .seconds(600))
    // As another program, or a crash of an application's own protocol, would leave them.
    try await ledger.database.write { db, now in
      try db.execute(sql: "UPDATE workers SET status = 'crashed', current_task = NULL WHERE id = 'gone'")
      try db.execute(sql: "UPDATE workers SET current_task = ? WHERE id = 'w'", arguments: [first.rawValue])
      try db.execute(sql: "INSERT INTO series (name) VALUES ('empty')")
      try db.execute(sql: "INSERT INTO people (id, handle, created_at) VALUES ('p', 'p', 0)")
      try db.execute(
        sql: """
          INSERT INTO notices (id, recipient, channel, type, level, subject, body, not_before, created_at)
          VALUES ('n', 'p', 'email', 'system', 'info', '', '', 0, 0)
          """)
    }
    var found = try await Dictionary(uniqueKeysWithValues: ledger.orphans().map { ($0.kind, $0.examples) })
    #expect(found[.expiredLeases] == [first.rawValue])
    #expect(found[.tasksWithoutWorker] == [first.rawValue])
    #expect(found[.workersWithoutTask] == ["w"])
    #expect(found[.silentRuns] == [run.rawValue])
    #expect(found[.emptySeries] == ["empty"])
    #expect(found[.noticesWithoutMessage] == ["n"])
    #expect(found[.runsOfEndedTasks] == [] && found[.promptsOfEndedRuns] == [])
    try await ledger.complete(second, by: "w")
    found = try await Dictionary(uniqueKeysWithValues: ledger.orphans().map { ($0.kind, $0.examples) })
    #expect(found[.runsOfEndedTasks] == [run.rawValue])
    #expect(try await ledger.orphans(silentFor: .seconds(601)).first { $0.kind == .silentRuns }?.count == 0)
  }

  @Test func `reports are read back from their JSON`() async throws {
    let now = Timestamp(milliseconds: 1_774_800_000_000)
    let ledger = try await Ledger.inMemory(clock: ManualClock(now))
    try await ReportOracle(seed: 7, now: now.milliseconds).write(to: ledger)
    func isRead<Value: Codable & Equatable>(_ value: Value) throws -> Bool {
      try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value
    }
    #expect(try await isRead(ledger.categoryReport()))
    #expect(try await isRead(ledger.taskTrend()))
    #expect(try await isRead(ledger.queueDepth()))
    #expect(try await isRead(ledger.errorRates()))
    #expect(try await isRead(ledger.errorsByPerson()))
    #expect(try await isRead(ledger.costs(by: .model)))
    #expect(try await isRead(ledger.costTrend()))
    #expect(try await isRead(ledger.pageUse()))
    #expect(try await isRead(ledger.tableSizes()))
    #expect(try await isRead(ledger.orphans()))
  }
}
