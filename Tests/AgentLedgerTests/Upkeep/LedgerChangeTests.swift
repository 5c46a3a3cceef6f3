import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

@Suite struct `Watching a ledger` {
  let clock = ManualClock()

  /// The elements that are there.
  private func told(
    _ ledger: Ledger, after cursor: Ledger.Change.Cursor, of kinds: Set<Ledger.Change.Kind> = [], _ count: Int
  ) async throws -> [Ledger.Changes.Element] {
    var told: [Ledger.Changes.Element] = []
    guard count > 0 else { return [] }
    for try await element in ledger.changes(after: cursor, of: kinds) {
      told.append(element)
      if told.count == count { break }
    }
    return told
  }

  private func subjects(_ elements: [Ledger.Changes.Element]) -> [Ledger.Change.Subject] {
    elements.compactMap { if case .change(let change) = $0 { change.subject } else { nil } }
  }

  @Test func `each change is told once, in the order of the commits, whoever made it`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let worker = try await ledger.register(worker: "w").id
    let task = try await ledger.add(Ledger.Task.Draft("visit", domain: "web")).task.id
    _ = try await ledger.claim(by: worker)
    try await ledger.complete(task, by: worker)
    let run = try await ledger.start(Ledger.Run.Draft(.testing, domain: "web", context: "it fails")).id
    try await ledger.finish(run: run, as: .failed)
    let told = try await told(ledger, after: .beginning, 6)
    #expect(
      subjects(told) == [.worker(worker), .task(task), .task(task), .task(task), .run(run), .run(run)])
    let end = try await ledger.changeCursor()
    guard case .change(let last)? = told.last else {
      Issue.record("the last is no change")
      return
    }
    #expect(last.cursor == end && last.domain == "web")
    #expect(Ledger.Change.Cursor(rawValue: end.rawValue) == end)
    #expect(subjects(try await self.told(ledger, after: .beginning, of: [.run], 2)) == [.run(run), .run(run)])
  }

  @Test func `a watcher waits for what is committed later`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let start = try await ledger.changeCursor()
    async let told = told(ledger, after: start, 20)
    var ids: [Ledger.Task.ID] = []
    for _ in 0..<20 { ids.append(try await ledger.add(Ledger.Task.Draft("visit", domain: "web")).task.id) }
    #expect(subjects(try await told) == ids.map { .task($0) })
  }

  @Test func `a feed that was pruned begins with a gap, and keeps what it promises`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let first = try await ledger.add(Ledger.Task.Draft("visit", domain: "web")).task.id
    try await ledger.maintain()
    var added = [first]
    for _ in 0..<10 {
      clock.advance(by: .seconds(86_400))
      added.append(try await ledger.add(Ledger.Task.Draft("visit", domain: "web")).task.id)
      try await ledger.maintain()
    }
    // Those of the last seven days, and of the pass seven days ago.
    let kept = Array(added.suffix(7))
    let told = try await told(ledger, after: .beginning, 8)
    #expect(told.first == .gap(.pruned))
    #expect(subjects(told) == kept.map { .task($0) })
    #expect(try await ledger.check().allSatisfy { $0.outcome == .passed })
  }

  @Test func `a cursor of another ledger is told so`() async throws {
    let (ledger, other) = (try await Ledger.inMemory(clock: clock), try await Ledger.inMemory(clock: clock))
    try await ledger.add(Ledger.Task.Draft("visit", domain: "web"))
    try await other.add(Ledger.Task.Draft("visit", domain: "web"))
    #expect(try await told(ledger, after: other.changeCursor(), 2).first == .gap(.otherHistory))
  }

  @Test func `an erased run and its task leave no id in the feed`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let task = try await ledger.add(Ledger.Task.Draft("visit", domain: "web")).task.id
    var draft = Ledger.Run.Draft(.testing, domain: "web", context: "it fails")
    draft.task = task
    let run = try await ledger.start(draft).id
    try await ledger.erase(runs: [run])
    let kept = try await ledger.add(Ledger.Task.Draft("visit", domain: "kept")).task.id
    let told = try await told(ledger, after: .beginning, 1)
    let all = subjects(told)
    #expect(!all.contains(.task(task)) && !all.contains(.run(run)))
    #expect(all == [.task(kept)])
  }
}
