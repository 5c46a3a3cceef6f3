import AgentLedger
import StoreValues
import TestSupport
import Testing

@Suite struct `Tasks of a ledger` {
  @Test func `a task is claimed and completed by its claimant`() async throws {
    let clock = ManualClock()
    let ledger = try await Ledger.inMemory(clock: clock)
    let worker = try await ledger.register(worker: "w").id
    let added = try await ledger.add(Ledger.Task.Draft("visit", domain: "web", params: ["url": "https://example.org"]))
    let claimed = try #require(try await ledger.claim(by: worker).first)
    #expect(claimed.id == added.task.id)
    #expect(claimed.status == .inProgress)
    let done = try await ledger.complete(claimed.id, by: worker, with: .init(["title": "Example"]))
    #expect(done.status == .completed)
    #expect(try await ledger.worker(worker)?.tasksCompleted == 1)
    #expect(try await ledger.claim(by: worker).isEmpty)
  }

  @Test func `a worker that claims task after task is noted once a second, and works on the one that it claimed first`()
    async throws
  {
    let clock = ManualClock()
    let ledger = try await Ledger.inMemory(clock: clock)
    let worker = try await ledger.register(worker: "w").id
    let start = clock.now()
    let tasks = try await ledger.add((0..<5).map { Ledger.Task.Draft("visit", domain: "d\($0)") }).map(\.task.id)
    func claim(_ expected: Ledger.Task.ID, heardAt: Int64, works on: Ledger.Task.ID, _ say: Comment) async throws {
      #expect(try await ledger.claim(by: worker, lease: .seconds(7200)).map(\.id) == [expected], say)
      let found = try await ledger.worker(worker)
      #expect(found?.status == .busy && found?.currentTask == on, say)
      #expect((found?.lastHeartbeat.milliseconds).map { $0 - start.milliseconds } == heardAt, say)
    }
    clock.advance(by: .milliseconds(10))
    try await claim(tasks[0], heardAt: 10, works: tasks[0], "the first claim")
    clock.advance(by: .milliseconds(999))
    try await claim(tasks[1], heardAt: 10, works: tasks[0], "within a second")
    clock.advance(by: .milliseconds(1))
    try await claim(tasks[2], heardAt: 1010, works: tasks[0], "after a second")
    clock.advance(by: .seconds(-3600))
    try await claim(tasks[3], heardAt: 1010 - 3_600_000, works: tasks[0], "after the clock was set back")
    try await ledger.complete(tasks[0], by: worker)
    try await claim(tasks[4], heardAt: 1010 - 3_600_000, works: tasks[1], "when the first one has ended")
  }

  @Test func `a claim takes back what has lapsed of its own worker, and the worker is noted as if it had not had it`()
    async throws
  {
    let clock = ManualClock()
    let ledger = try await Ledger.inMemory(clock: clock)
    let worker = try await ledger.register(worker: "w").id
    let tasks = try await ledger.add((0..<2).map { Ledger.Task.Draft("visit", domain: "d\($0)") }).map(\.task.id)
    _ = try await ledger.claim(by: worker, lease: .milliseconds(100))
    clock.advance(by: .milliseconds(100))
    let again = try #require(try await ledger.claim(by: worker, lease: .milliseconds(100)).first)
    #expect(again.id == tasks[0] && again.crashes == 1)
    let found = try #require(try await ledger.worker(worker))
    #expect(found.status == .busy && found.currentTask == tasks[0] && found.lastHeartbeat == clock.now())
  }
}
