import AgentLedger
import StoreValues
import TestSupport
import Testing

/// What belongs to one domain: a task, a run for it with a prompt that streams and a tool call, and a signal.
private struct Belongings {
  let task: Ledger.Task.ID
  let failed: Ledger.Task.ID
  let run: Ledger.Run.ID
  let prompt: Ledger.Prompt.ID
  let call: Ledger.ToolCall.ID
  let selector: String

  init(of domain: String, in ledger: DomainLedger) async throws {
    selector = "#\(domain)-canary"
    failed = try await ledger.add(.init("fails", domain: domain, id: .init(rawValue: "\(domain)-failed"))).task.id
    try await ledger.claim(by: "worker")
    try await ledger.fail(failed, by: "worker", error: "\(domain)-canary", mayRetry: false)
    task = try await ledger.add(.init("work", domain: domain, params: ["canary": .string(domain)])).task.id
    try await ledger.claim(by: "worker")
    run = try await ledger.start(.init("work", context: "\(domain)-canary", task: task, status: .executing)).id
    prompt = try await ledger.add(Ledger.Prompt.Draft("\(domain)-canary"), to: run).id
    call = try await ledger.add(Ledger.ToolCall.Draft("\(domain)-canary"), to: run).id
    try await ledger.beginResponse(to: prompt)
    try await ledger.append("\(domain)-canary", toResponseOf: prompt)
    try await ledger.record(.init(selector, type: .css, success: true, domain: domain, task: task))
  }
}

@Suite struct `A ledger of one domain` {
  let clock = ManualClock()

  @Test func `reads and changes what is its own`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    _ = try await ledger.register(worker: "worker", kind: "test")
    let (mine, other) = (ledger.domain("mine"), ledger.domain("other"))
    let own = try await Belongings(of: "mine", in: mine)
    let foreign = try await Belongings(of: "other", in: other)
    #expect(try await mine.tasks().map(\.id) == [own.task, own.failed])
    #expect(try await mine.tasks(after: own.task).map(\.id) == [own.failed])
    #expect(try await mine.tasks(.init(domain: "other")).isEmpty)
    #expect(try await mine.runs(.init(domain: "other")).isEmpty)
    #expect(try await mine.runs().map(\.id) == [own.run])
    #expect(try await mine.tree(of: own.run).map(\.run.id) == [own.run])
    #expect(try await mine.task(own.task)?.params["canary"] == "mine")
    #expect(try await mine.run(own.run)?.domain == "mine")
    #expect(try await mine.prompts(of: own.run).map(\.id) == [own.prompt])
    #expect(try await mine.toolCalls(of: own.run).map(\.id) == [own.call])
    #expect(try await mine.toolCall(own.call)?.run == own.run)
    #expect(try await mine.entries(of: own.run).count == 2)
    #expect(try await mine.prompt(own.prompt)?.run == own.run)
    #expect(try await mine.response(to: own.prompt) == "mine-canary")
    #expect(try await mine.selectorRates().map(\.selector) == [own.selector])
    #expect(try await mine.selectorRate(of: foreign.selector, type: .css) == nil)
    #expect(try await mine.signals(of: own.task).map(\.selector) == [own.selector])

    #expect(try await mine.heartbeat(own.task, by: "worker") == .goOn)
    try await mine.heartbeat(run: own.run)
    try await mine.finish(prompt: own.prompt)
    try await mine.add([.prompt(.init("more"))], to: own.run)
    #expect(try await mine.set(.reviewing, of: own.run).status == .reviewing)
    #expect(try await mine.finish(run: own.run, successRate: 1).status == .completed)
    #expect(try await mine.complete(own.task, by: "worker", with: .init(["ok": true])).status == .completed)
    #expect(try await mine.results(of: own.task).count == 1)
    #expect(try await mine.retry(own.failed).status == .pending)
    #expect(try await mine.cancel(own.failed).status == .cancelled)
    // The other one has what it had.
    #expect(try await other.run(foreign.run)?.status == .executing)
    #expect(try await other.task(foreign.failed)?.status == .failed)
    #expect(try await other.response(to: foreign.prompt) == "other-canary")
  }

  @Test func `answers an id of another domain as one that does not exist`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    _ = try await ledger.register(worker: "worker", kind: "test")
    let mine = ledger.domain("mine")
    let foreign = try await Belongings(of: "other", in: ledger.domain("other"))
    let before = try await ledger.tasks(limit: 100)
    let (task, run, prompt) = (foreign.task, foreign.run, foreign.prompt)

    #expect(try await mine.task(task) == nil)
    #expect(try await mine.run(run) == nil)
    #expect(try await mine.prompt(prompt) == nil)
    #expect(try await mine.toolCall(foreign.call) == nil)
    #expect(try await mine.response(to: prompt) == nil)
    #expect(try await mine.entries(of: run).isEmpty)
    #expect(try await mine.prompts(of: run).isEmpty)
    #expect(try await mine.toolCalls(of: run).isEmpty)
    #expect(try await mine.results(of: task).isEmpty)
    #expect(try await mine.signals(of: task).isEmpty)
    #expect(try await mine.claim(by: "worker").isEmpty)

    // Each verb, with the id of the other domain and with one that nobody has: the same error but for the id.
    typealias Verb = (String, String, String) async throws -> Void
    let verbs: [(String, Verb)] = [
      ("tasks", { id, _, _ in _ = try await mine.tasks(after: .init(rawValue: id)) }),
      ("runs", { _, id, _ in _ = try await mine.runs(after: .init(rawValue: id)) }),
      ("heartbeat", { id, _, _ in _ = try await mine.heartbeat(.init(rawValue: id), by: "worker") }),
      ("complete", { id, _, _ in try await mine.complete(.init(rawValue: id), by: "worker") }),
      ("fail", { id, _, _ in try await mine.fail(.init(rawValue: id), by: "worker", error: "no") }),
      ("cancel", { id, _, _ in try await mine.cancel(Ledger.Task.ID(rawValue: id)) }),
      ("retry", { id, _, _ in try await mine.retry(.init(rawValue: id)) }),
      (
        "add below",
        { id, _, _ in
          var draft = Ledger.Task.Draft("part", domain: "mine")
          draft.parent = .init(rawValue: id)
          try await mine.add(draft)
        }
      ),
      (
        "record",
        { id, _, _ in
          try await mine.record(.init("#a", type: .css, success: true, domain: "mine", task: .init(rawValue: id)))
        }
      ),
      ("start for", { id, _, _ in try await mine.start(.init("work", task: .init(rawValue: id))) }),
      ("start below", { _, id, _ in try await mine.start(.init("work", parent: .init(rawValue: id))) }),
      ("tree", { _, id, _ in _ = try await mine.tree(of: .init(rawValue: id)) }),
      ("heartbeat of a run", { _, id, _ in try await mine.heartbeat(run: .init(rawValue: id)) }),
      ("set", { _, id, _ in try await mine.set(.reviewing, of: .init(rawValue: id)) }),
      ("finish", { _, id, _ in try await mine.finish(run: .init(rawValue: id)) }),
      ("cancel a run", { _, id, _ in try await mine.cancel(run: .init(rawValue: id)) }),
      ("add a prompt", { _, id, _ in try await mine.add(Ledger.Prompt.Draft("x"), to: .init(rawValue: id)) }),
      ("add a call", { _, id, _ in try await mine.add(Ledger.ToolCall.Draft("x"), to: .init(rawValue: id)) }),
      ("add entries", { _, id, _ in try await mine.add([.prompt(.init("x"))], to: .init(rawValue: id)) }),
      ("begin a response", { _, _, id in try await mine.beginResponse(to: .init(rawValue: id)) }),
      ("append", { _, _, id in try await mine.append("x", toResponseOf: .init(rawValue: id)) }),
      ("finish a prompt", { _, _, id in try await mine.finish(prompt: .init(rawValue: id)) }),
    ]
    for (name, verb) in verbs {
      let real = await #expect(throws: MemoryError.self, "\(name)") {
        try await verb(task.rawValue, run.rawValue, prompt.rawValue)
      }
      let none = await #expect(throws: MemoryError.self, "\(name)") { try await verb("none", "none", "none") }
      let words = [task.rawValue, run.rawValue, prompt.rawValue].reduce(real?.message ?? "") {
        $0.replacing($1, with: "none")
      }
      #expect(real?.code == .notFound && words == none?.message, "\(name): \(words)")
    }
    #expect(try await ledger.tasks(limit: 100) == before)
    #expect(try await ledger.run(run)?.status == .executing)
    #expect(try await ledger.entries(of: run).count == 2)
  }

  @Test func `refuses what is of another domain by its own words, and says so`() async throws {
    let mine = try await Ledger.inMemory(clock: clock).domain("mine")
    let refused: [() async throws -> Void] = [
      { try await mine.add(.init("work", domain: "other")) },
      { try await mine.start(.init("work", domain: "other")) },
      { try await mine.record(.init("#a", type: .css, success: true, domain: "other")) },
    ]
    for verb in refused {
      let error = await #expect(throws: MemoryError.self) { try await verb() }
      #expect(error?.code == .invalid && error?.message.contains("\"other\"") == true, "\(String(describing: error))")
    }
    #expect(try await mine.tasks().isEmpty)
  }

  @Test func `cancels of a tree that another domain has a part in its own runs alone`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let root = try await ledger.start(.init("work", domain: "mine")).id
    let foreign = try await ledger.start(.init("work", domain: "other", parent: root)).id
    let below = try await ledger.start(.init("work", domain: "mine", parent: foreign)).id
    let mine = ledger.domain("mine")
    #expect(try await mine.tree(of: root).map(\.run.id) == [root, below])
    #expect(try await Set(mine.cancel(run: root)) == [root, below])
    #expect(try await ledger.run(foreign)?.status == .initializing)
  }

  @Test func `a parent may be a task of the same call`() async throws {
    let mine = try await Ledger.inMemory(clock: clock).domain("mine")
    var part = Ledger.Task.Draft("part", domain: "mine")
    part.parent = "whole"
    #expect(
      try await mine.add([.init("whole", domain: "mine", id: "whole"), part]).map(\.task.parent) == [nil, "whole"])
  }
}
