import AgentLedger
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct `Workers that are killed` {
  /// 20000 with EPISODIC_TASKS=20000.
  private static let tasks = ProcessInfo.processInfo.environment["EPISODIC_TASKS"].flatMap(Int.init) ?? 1500

  /// Eight processes work while one of them is killed every 100 ms; another takes its place under its name.
  @Test func `every task is finished exactly once, in the order of the queue`() async throws {
    let directory = try TemporaryDirectory()
    let ledger = try await Ledger.open(at: directory.file("store"))
    let drafts = (0..<Self.tasks).map { number in
      var draft = Ledger.Task.Draft(
        "visit", domain: "d\(number % 7)", params: ["number": JSON(number)],
        priority: Ledger.Task.Priority.allCases[number % 5])
      // Killed at random: nothing is set aside here.
      draft.maximumCrashes = 1_000_000
      return draft
    }
    try await ledger.add(drafts)
    var generator = SeededGenerator(seed: 13)
    func start(_ name: Int) throws -> Child {
      try Child("LedgerWorker", ["work", directory.file("store"), "w\(name)"], in: directory)
    }
    var children = try (0..<8).map(start)
    var finished: [Child] = []
    var kills = 0
    while try await !ledger.tasks(.init(status: .pending), limit: 1).isEmpty {
      try await _Concurrency.Task.sleep(for: .milliseconds(100))
      let victim = Int.random(in: children.indices, using: &generator)
      if children[victim].isOver {
        let (status, errors) = (children[victim].wait(), try children[victim].standardError)
        #expect(status == 0, "\(errors)")
      } else {
        children[victim].kill()
        kills += 1
      }
      finished.append(children[victim])
      children[victim] = try start(victim)
    }
    for child in children {
      let (status, errors) = (child.wait(), try child.standardError)
      #expect(status == 0, "\(errors)")
    }
    try await ledger.close()

    let acknowledged = try (finished + children).flatMap { try $0.lines }.filter { $0.hasPrefix("completed ") }
    #expect(Set(acknowledged).count == acknowledged.count, "a task was acknowledged twice")
    try await DatabaseQueue(path: directory.file("store") + "/ledger.sqlite").read { db throws in
      func count(_ sql: String) throws -> Int? { try Int.fetchOne(db, sql: sql) }
      #expect(try count("SELECT count(*) FROM tasks WHERE status = 'completed'") == Self.tasks)
      #expect(try count("SELECT count(*) FROM results") == Self.tasks)
      #expect(try count("SELECT count(DISTINCT task_id) FROM results WHERE success") == Self.tasks)
      #expect(try count("SELECT count(*) FROM outbox o JOIN results r ON r.id = o.result_id") == Self.tasks)
      #expect(try count("SELECT count(*) FROM tasks WHERE attempts <> crashes + 1") == 0)
      #expect(try count("SELECT sum(tasks_completed) FROM workers") == Self.tasks)
      // Within a priority, no task was claimed for the first time before an earlier one.
      #expect(
        try count(
          """
          SELECT count(*) FROM (SELECT started_at, lag(started_at) OVER (PARTITION BY priority ORDER BY created_at, seq) AS before
              FROM tasks) WHERE started_at < before
          """) == 0)
      // A lower priority was claimed only when nothing of a higher one was waiting.
      #expect(
        try count(
          """
          SELECT count(*) FROM (SELECT priority, min(started_at) AS first, max(started_at) AS last FROM tasks GROUP BY priority) a
              JOIN (SELECT priority, min(started_at) AS first FROM tasks GROUP BY priority) b ON b.priority > a.priority
              AND b.first < a.last
          """) == 0)
      for acknowledgement in acknowledged {
        let id = String(acknowledgement.dropFirst("completed ".count))
        #expect(
          try String.fetchOne(db, sql: "SELECT status FROM tasks WHERE id = ?", arguments: [id]) == "completed")
      }
    }
    #expect(kills > 0)
  }
}
