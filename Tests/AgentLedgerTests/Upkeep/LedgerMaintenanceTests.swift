import GRDB
import SQLiteStorage
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

@Suite struct `Maintenance of a ledger` {
  let clock = ManualClock()

  private func counts(
    _ step: Ledger.MaintenanceReport.Step, in report: Ledger.MaintenanceReport
  ) -> [String: Int]? {
    report.outcomes.first { $0.step == step }?.counts
  }

  @Test func `leases that ran out are taken back, and silent runs have failed`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let worker = try await ledger.register(worker: "w").id
    try await ledger.add(Ledger.Task.Draft("visit", domain: "web"))
    let task = try #require(try await ledger.claim(by: worker).first)
    let run = try await ledger.start(Ledger.Run.Draft(.testing, domain: "web", context: "it fails"))
    clock.advance(by: .seconds(3600))
    let first = try await ledger.maintain()
    #expect(counts(.leases, in: first) == ["tasks": 1])
    #expect(counts(.runs, in: first) == [:])
    #expect(try await ledger.task(task.id)?.status == .pending)
    clock.advance(by: .seconds(86_400))
    #expect(counts(.runs, in: try await ledger.maintain()) == ["failed": 1])
    #expect(try await ledger.run(run.id)?.status == .failed)
    #expect(try await ledger.lastMaintained() == clock.now())
  }

  @Test func `a clock that jumped ahead fails no run`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let run = try await ledger.start(Ledger.Run.Draft(.testing, domain: "web", context: "it fails"))
    clock.advance(by: .seconds(30 * 86_400))
    try await ledger.maintain()
    #expect(try await ledger.run(run.id)?.status == .initializing)
  }

  @Test func `the least recently used pages leave until the others fit`() async throws {
    var limits = Ledger.Limits()
    limits.pageBytes = 1000
    let ledger = try await Ledger.inMemory(clock: clock, limits: limits)
    let now = clock.now().milliseconds
    try await ledger.database.write(grows: false) { db, _ in
      for number in 0..<200 {
        try db.execute(
          sql: """
            INSERT INTO pages (key, data, type, size, created_at, expires_at, last_accessed)
            VALUES (?1, zeroblob(10), 'text', 10, ?2, ?2 + 1000, ?2 + ?3)
            """, arguments: ["p\(number)", now, (number * 7) % 200])
      }
    }
    #expect(counts(.pages, in: try await ledger.maintain()) == ["removed": 100])
    let oldest = try await ledger.database.read { db in
      try Int64.fetchOne(db, sql: "SELECT min(last_accessed) FROM pages")
    }
    #expect(oldest == now + 100)
    #expect(try await ledger.check().allSatisfy { $0.outcome == .passed })
  }

  @Test func `a dry run changes nothing`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let worker = try await ledger.register(worker: "w").id
    try await ledger.add(Ledger.Task.Draft("visit", domain: "web"))
    let task = try #require(try await ledger.claim(by: worker).first)
    try await ledger.complete(task.id, by: worker)
    clock.advance(by: .seconds(10 * 86_400))
    var options = Ledger.MaintenanceOptions()
    (options.isDryRun, options.isAcceptingClock) = (true, true)
    let report = try await ledger.maintain(options)
    #expect(report.outcomes.map(\.step) == [.retention])
    #expect(counts(.retention, in: report) == ["completed_tasks": 1])
    #expect(try await ledger.task(task.id) != nil)
    #expect(try await ledger.lastMaintained() == nil)
  }

  @Test func `one run at a time maintains a ledger, and a file gets its pages back`() async throws {
    let directory = try TemporaryDirectory()
    var options = Ledger.OpenOptions()
    options.clock = clock
    let ledger = try await Ledger.open(at: directory.path, options: options)
    try await ledger.database.write(grows: false) { db, _ in
      for number in 0..<200 {
        try db.execute(
          sql: """
            INSERT INTO pages (key, data, type, size, created_at, expires_at, last_accessed)
            VALUES (?1, zeroblob(50000), 'text', 50000, 0, 1, 0)
            """, arguments: ["p\(number)"])
      }
    }
    guard case .held(release: let release) = try ledger.database.stored.maintenanceLock.take() else {
      Issue.record("the lock is taken")
      return
    }
    let other = try await Ledger.open(at: directory.path, options: options)
    #expect(try await other.maintain().isHeld)
    release()
    let report = try await other.maintain()
    #expect(counts(.retention, in: report) == ["pages": 200])
    #expect((counts(.freePages, in: report)?["pages"] ?? 0) > 1000)
    #expect(report.outcomes.allSatisfy { !$0.hasFailed })
    #expect(try await other.check().allSatisfy { $0.outcome == .passed })
    try await ledger.close()
    try await other.close()
  }
}

@Suite struct `Checking a ledger` {
  struct Sabotage: CustomTestStringConvertible, Sendable {
    let subject: Ledger.Check.Subject
    let sql: String
    var testDescription: String { sql }

    init(_ subject: Ledger.Check.Subject, _ sql: String) { (self.subject, self.sql) = (subject, sql) }
  }

  static let sabotages = [
    Sabotage(.costs, "UPDATE runs SET cost = 7"),
    Sabotage(.tasks, "UPDATE tasks SET is_cancelling = 1 WHERE status = 'pending'"),
    Sabotage(.tasks, "DELETE FROM workers"),
    Sabotage(.tasks, "UPDATE workers SET current_task = (SELECT id FROM tasks WHERE status = 'pending')"),
    Sabotage(.outbox, "UPDATE outbox SET status = 'ready'"),
    Sabotage(.outbox, "UPDATE outbox SET status = 'queued'"),
    Sabotage(.runs, "UPDATE runs SET episode_id = id"),
    Sabotage(.runs, "UPDATE runs SET parent_id = id"),
    Sabotage(.pages, "UPDATE page_bytes SET bytes = 1"),
    Sabotage(.changes, "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'changes'"),
    Sabotage(
      .rules, "PRAGMA ignore_check_constraints = 1; UPDATE tasks SET priority = 9; PRAGMA ignore_check_constraints = 0"),
    Sabotage(.owners, "PRAGMA foreign_keys = 0; UPDATE runs SET task_id = 'nothing'"),
    Sabotage(.schema, "DROP TRIGGER tasks_told"),
    Sabotage(.schema, "DROP INDEX tasks_next"),
  ]

  private func ledger() async throws -> Ledger {
    let ledger = try await Ledger.inMemory(clock: ManualClock())
    let worker = try await ledger.register(worker: "w").id
    try await ledger.add([Ledger.Task.Draft("visit", domain: "web"), Ledger.Task.Draft("visit", domain: "web")])
    _ = try await ledger.claim(by: worker)
    try await ledger.start(Ledger.Run.Draft(.testing, domain: "web", context: "it fails"))
    _ = try await ledger.put([
      .init("results", key: "k", payload: [:]), .init("results", key: "k", payload: [:]),
    ])
    return ledger
  }

  @Test func `a ledger that nothing happened to passes`() async throws {
    let checks = try await ledger().check()
    #expect(checks.map(\.subject) == Ledger.Check.Subject.allCases)
    #expect(checks.allSatisfy { $0.outcome == .passed }, "\(checks)")
  }

  @Test(arguments: sabotages) func `what another program did is found, with its remedy`(
    _ sabotage: Sabotage
  ) async throws {
    let ledger = try await ledger()
    try await ledger.database.stored.maintain { db in try db.execute(sql: sabotage.sql) }
    let failed = try await ledger.check().filter { $0.outcome != .passed }
    #expect(failed.contains { $0.subject == sabotage.subject }, "\(failed)")
    for check in failed {
      guard case .failed(let reason) = check.outcome else {
        Issue.record("\(check)")
        continue
      }
      #expect(reason.contains(";") || reason.contains(":"), "\(reason)")
    }
  }
}
