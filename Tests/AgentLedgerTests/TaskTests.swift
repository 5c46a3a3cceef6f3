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
}
