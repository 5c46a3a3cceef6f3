import AgentLedger
import StoreValues
import TestSupport
import Testing

@Suite struct `Runs of a ledger` {
  private let clock = ManualClock()

  private func ledger() async throws -> Ledger { try await Ledger.inMemory(clock: clock) }

  @Test func `an agent is added, found by name, changed and removed, and its runs stay`() async throws {
    let ledger = try await ledger()
    let agent = try await ledger.add(
      Ledger.Agent.Draft("re\u{301}viseur", type: .reviewer, capabilities: ["read", "write"]))
    #expect(try await ledger.agent(named: "r\u{e9}viseur") == agent)
    clock.advance(by: .seconds(1))
    let changed = try await ledger.update(agent.id, with: .init(type: .tester, defaultModel: "m"))
    #expect(changed.type == .tester && changed.capabilities == ["read", "write"] && changed.defaultModel == "m")
    #expect(changed.updatedAt > changed.createdAt)
    #expect(try await ledger.update(agent.id, with: .init(defaultModel: .some(nil))).defaultModel == nil)
    let run = try await ledger.start(.init(.testing, domain: "d", agent: agent.id))
    try await ledger.remove(agent: agent.id)
    #expect(try await ledger.run(run.id)?.agent == nil)
    #expect(try await ledger.agents().isEmpty)
    #expect(await refusal { try await ledger.remove(agent: agent.id) } == .notFound)
  }

  @Test func `two agents do not have one name`() async throws {
    let ledger = try await ledger()
    try await ledger.add(Ledger.Agent.Draft("a", type: .planner))
    let other = try await ledger.add(Ledger.Agent.Draft("b", type: .planner))
    #expect(await refusal { try await ledger.add(Ledger.Agent.Draft("a", type: .builder)) } == .conflict)
    #expect(await refusal { try await ledger.update(other.id, with: .init(name: "a")) } == .conflict)
    #expect(await refusal { try await ledger.add(Ledger.Agent.Draft("", type: .builder)) } == .invalid)
    #expect(try await ledger.agents(.planner).map(\.name) == ["a", "b"])
    #expect(try await ledger.agents(after: "a").map(\.name) == ["b"])
  }

  @Test(arguments: Ledger.Run.Status.allCases, Ledger.Run.Status.allCases)
  func `a run changes its status as the rule says, and an illegal change names what may follow`(
    _ from: Ledger.Run.Status, _ to: Ledger.Run.Status
  ) async throws {
    let ledger = try await ledger()
    let id = try await ledger.start(.init(.testing, domain: "d")).id
    let ways: [Ledger.Run.Status: [Ledger.Run.Status]] = [
      .initializing: [], .planning: [.planning], .executing: [.executing], .reviewing: [.executing, .reviewing],
      .completed: [.executing, .completed], .failed: [.failed], .cancelled: [.cancelled],
    ]
    func change(to status: Ledger.Run.Status) async throws(MemoryError) -> Ledger.Run {
      status.isEnded ? try await ledger.finish(run: id, as: status) : try await ledger.set(status, of: id)
    }
    for status in try #require(ways[from]) { _ = try await change(to: status) }
    if from.next.contains(to) {
      #expect(try await change(to: to).status == to)
    } else if from == to, !to.isEnded {
      #expect(try await change(to: to).status == from)
    } else {
      let error = await #expect(throws: MemoryError.self) { _ = try await change(to: to) }
      #expect(error?.code == .conflict)
      #expect(error?.message.contains("is \(from.rawValue) and cannot become \(to.rawValue)") == true)
      #expect(try await ledger.run(id)?.status == from)
    }
  }

  @Test func `a run has the domain and the session of its task unless it names others`() async throws {
    let ledger = try await ledger()
    let task = try await ledger.add(Ledger.Task.Draft("t", domain: "web", session: "s")).task.id
    let run = try await ledger.start(.init(.analysis, task: task))
    #expect(run.domain == "web" && run.session == "s" && run.task == task)
    let other = try await ledger.start(.init(.analysis, domain: "d", session: "z", task: task))
    #expect(other.domain == "d" && other.session == "z")
    #expect(try await ledger.runs(.init(task: task)).map(\.id) == [other.id, run.id])
    #expect(try await ledger.runs(.init(session: "s")).map(\.id) == [run.id])
    #expect(await refusal { try await ledger.start(.init(.analysis)) } == .invalid)
  }

  @Test func `what a run refers to must be there, and its id is not taken`() async throws {
    let ledger = try await ledger()
    try await ledger.start(.init(.testing, domain: "d", id: "r"))
    #expect(await refusal { try await ledger.start(.init(.testing, domain: "d", id: "r")) } == .conflict)
    #expect(await refusal { try await ledger.start(.init(.testing, domain: "d", agent: "x")) } == .notFound)
    #expect(await refusal { try await ledger.start(.init(.testing, domain: "d", parent: "x")) } == .notFound)
    #expect(await refusal { try await ledger.start(.init(.testing, task: "x")) } == .notFound)
    #expect(await refusal { try await ledger.start(.init(.testing, domain: "d", status: .failed)) } == .invalid)
    #expect(await refusal { try await ledger.finish(run: "r", as: .failed, successRate: 1.5) } == .invalid)
    #expect(await refusal { try await ledger.finish(run: "r", as: .planning) } == .invalid)
    #expect(await refusal { try await ledger.heartbeat(run: "x") } == .notFound)
    #expect(await refusal { try await ledger.tree(of: "x") } == .notFound)
    #expect(await refusal { try await ledger.cancel(run: "x") } == .notFound)
    var config = Ledger.Run.Draft(.testing, domain: "d")
    config.config = [1]
    let wrong = config
    #expect(await refusal { try await ledger.start(wrong) } == .invalid)
  }

  @Test func `the tree of a run has each run before those that it started, and is cancelled as a whole`() async throws {
    let ledger = try await ledger()
    for (id, parent) in [("a", nil), ("b", "a"), ("c", "a"), ("d", "b"), ("e", "d"), ("f", "c"), ("x", nil)] {
      try await ledger.start(
        .init(.testing, domain: "d", parent: parent.map { .init($0) }, status: .executing, id: .init(id)))
    }
    let tree = try await ledger.tree(of: "a")
    #expect(tree.map { "\($0.run.id)\($0.depth)" } == ["a0", "b1", "d2", "e3", "c1", "f2"])
    try await ledger.finish(run: "d")
    let prompt = try await ledger.add(Ledger.Prompt.Draft("go on"), to: "e")
    #expect(try await ledger.cancel(run: "b") == ["b", "e"])
    #expect(try await ledger.prompt(prompt.id)?.status == .cancelled)
    #expect(try await ledger.run("d")?.status == .completed)
    #expect(try await ledger.cancel(run: "a") == ["a", "c", "f"])
    #expect(try await ledger.cancel(run: "a").isEmpty)
    #expect(try await ledger.runs(.init(status: .executing)).map(\.id) == ["x"])
  }

  @Test func `a chain of 20000 runs is walked and cancelled`() async throws {
    let ledger = try await ledger()
    var parent: Ledger.Run.ID?
    for number in 0..<20_000 {
      parent = try await ledger.start(.init(.testing, domain: "d", parent: parent, id: .init("r\(number)"))).id
    }
    #expect(try await ledger.tree(of: "r0").last?.depth == 19_999)
    #expect(try await ledger.cancel(run: "r0").count == 20_000)
  }

  @Test func `a run whose process is silent for too long has failed, with what it left open`() async throws {
    let ledger = try await ledger()
    for id in ["silent", "beats", "writes", "streams", "ended"] {
      try await ledger.start(.init(.testing, domain: "d", status: .executing, id: .init(id)))
    }
    let prompt = try await ledger.add(Ledger.Prompt.Draft("?", status: .streaming), to: "silent").id
    let streaming = try await ledger.add(Ledger.Prompt.Draft("?", status: .streaming), to: "streams").id
    try await ledger.append(["half ", "an answer"], toResponseOf: prompt)
    try await ledger.finish(run: "ended")
    clock.advance(by: .seconds(60))
    try await ledger.heartbeat(run: "beats")
    try await ledger.add(Ledger.ToolCall.Draft("bash"), to: "writes")
    try await ledger.append("x", toResponseOf: streaming)
    #expect(try await ledger.failAbandoned(after: .seconds(61)).isEmpty)
    #expect(try await ledger.failAbandoned(after: .seconds(60)) == ["silent"])
    let run = try #require(try await ledger.run("silent"))
    #expect(run.status == .failed && run.error?.hasPrefix("abandoned") == true)
    let left = try #require(try await ledger.prompt(prompt))
    #expect(left.status == .failed && left.response == "half an answer")
    #expect(await refusal { try await ledger.failAbandoned(after: .zero) } == .invalid)
  }

  @Test func `a clock that jumps an hour back neither fails a living run nor keeps a dead one`() async throws {
    let ledger = try await ledger()
    for id in ["lives", "dies"] { try await ledger.start(.init(.testing, domain: "d", id: .init(id))) }
    clock.advance(by: .seconds(-3600))
    try await ledger.heartbeat(run: "lives")
    #expect(try await ledger.failAbandoned(after: .seconds(60)).isEmpty)
    clock.advance(by: .seconds(59))
    try await ledger.add(Ledger.ToolCall.Draft("bash"), to: "lives")
    clock.advance(by: .seconds(3601 + 59))
    try await ledger.heartbeat(run: "lives")
    #expect(try await ledger.failAbandoned(after: .seconds(60)) == ["dies"])
  }

  @Test func `runs are listed by page, those started last first`() async throws {
    let ledger = try await ledger()
    for number in 0..<5 {
      if number == 3 { clock.advance(by: .seconds(1)) }
      try await ledger.start(.init(.testing, domain: number % 2 == 0 ? "even" : "odd", id: .init("\(number)")))
    }
    #expect(try await ledger.runs(limit: 2).map(\.id) == ["4", "3"])
    #expect(try await ledger.runs(after: "3", limit: 2).map(\.id) == ["2", "1"])
    #expect(try await ledger.runs(.init(domain: "even"), after: "4").map(\.id) == ["2", "0"])
    var filter = Ledger.Run.Filter()
    filter.since = clock.now()
    #expect(try await ledger.runs(filter).map(\.id) == ["4", "3"])
    (filter.since, filter.until) = (nil, clock.now())
    #expect(try await ledger.runs(filter).count == 3)
    #expect(await refusal { try await ledger.runs(limit: 0) } == .invalid)
    #expect(await refusal { try await ledger.runs(after: "x") } == .notFound)
  }
}
