import AgentLedger
import StoreValues
import TestSupport
import Testing

@Suite struct `Prompts and tool calls` {
  private let clock = ManualClock()

  private func ledger(_ limits: Ledger.Limits = .init()) async throws -> Ledger {
    let ledger = try await Ledger.inMemory(clock: clock, limits: limits)
    try await ledger.start(.init(.testing, domain: "d", status: .executing, id: "r"))
    return ledger
  }

  @Test func `prompts and tool calls of a run are read in the order in which they were added`() async throws {
    let ledger = try await ledger()
    try await ledger.add(Ledger.Prompt.Draft("fix it", response: "I run the tests", cost: 5, id: "p"), to: "r")
    try await ledger.add(Ledger.ToolCall.Draft("bash", success: true, cost: 2, prompt: "p"), to: "r")
    let added = try await ledger.add(
      [
        .prompt(.init("and now?", type: .followup, id: "q")), .toolCall(.init("edit", prompt: "q")),
        .toolCall(.init("bash", success: false, prompt: "p")),
      ], to: "r")
    let entries = try await ledger.entries(of: "r")
    #expect(entries.map(\.position) == [1, 2, 3, 4, 5])
    #expect(Array(entries[2...]) == added)
    #expect(try await ledger.entries(of: "r", after: 1, limit: 2) == Array(entries[1...2]))
    #expect(try await ledger.prompts(of: "r").map(\.id) == ["p", "q"])
    #expect(try await ledger.toolCalls(of: "r").map(\.tool) == ["bash", "edit", "bash"])
    #expect(try await ledger.toolCalls(ofPrompt: "p").map(\.success) == [true, false])
    #expect(try await ledger.run("r")?.cost == 7)
  }

  @Test func `a response that streams is appended in parts and whole when it has ended`() async throws {
    let ledger = try await ledger()
    let id = try await ledger.add(Ledger.Prompt.Draft("tell"), to: "r").id
    #expect(await refusal { try await ledger.append("x", toResponseOf: id) } == .conflict)
    #expect(try await ledger.response(to: id) == nil)
    #expect(try await ledger.beginResponse(to: id).status == .streaming)
    #expect(await refusal { try await ledger.beginResponse(to: id) } == .conflict)
    #expect(try await ledger.response(to: id) == "")
    var whole = ""
    for number in 0..<100 {
      let parts = (0..<(number % 3)).map { " \(number)/\($0) e\u{301}" }
      try await ledger.append(parts, toResponseOf: id)
      whole += parts.joined()
    }
    #expect(try await ledger.response(to: id) == whole)
    #expect(try await ledger.prompt(id)?.response == nil)
    clock.advance(by: .milliseconds(1500))
    let done = try await ledger.finish(prompt: id, with: .init(model: "m", tokensIn: 7, tokensOut: 9, cost: 11))
    #expect(done.status == .completed && done.latency == .milliseconds(1500) && done.cost == 11)
    #expect(done.response.map { Array($0.utf8) } == Array(whole.utf8))
    #expect(try await ledger.response(to: id) == done.response)
    #expect(try await ledger.run("r")?.cost == 11)
    #expect(await refusal { try await ledger.append("x", toResponseOf: id) } == .conflict)
    #expect(await refusal { try await ledger.finish(prompt: id, as: .failed) } == .conflict)
  }

  @Test(arguments: [Ledger.Prompt.Status.failed, .cancelled])
  func `a prompt that ends early keeps what had come of its response`(_ status: Ledger.Prompt.Status) async throws {
    let ledger = try await ledger()
    let streams = try await ledger.add(Ledger.Prompt.Draft("a", status: .streaming), to: "r").id
    try await ledger.append("so f", toResponseOf: streams)
    let ended = try await ledger.finish(prompt: streams, as: status, error: "timeout")
    #expect(ended.status == status && ended.response == "so f" && ended.error == "timeout")
    let waits = try await ledger.add(Ledger.Prompt.Draft("b"), to: "r").id
    #expect(try await ledger.finish(prompt: waits, as: status).response == nil)
  }

  @Test func `prompts that are pending, stream or have failed are listed, oldest first`() async throws {
    let ledger = try await ledger()
    for number in 0..<4 { try await ledger.add(Ledger.Prompt.Draft("a", id: .init("p\(number)")), to: "r") }
    try await ledger.beginResponse(to: "p0")
    try await ledger.finish(prompt: "p1", as: .failed)
    #expect(try await ledger.prompts(.pending).map(\.id) == ["p2", "p3"])
    #expect(try await ledger.prompts(.pending, after: "p2").map(\.id) == ["p3"])
    #expect(try await ledger.prompts(.streaming).map(\.id) == ["p0"])
    #expect(try await ledger.prompts(.failed).map(\.id) == ["p1"])
    #expect(await refusal { try await ledger.prompts(.completed) } == .invalid)
    try await ledger.finish(run: "r")
    #expect(try await ledger.prompts(.pending).isEmpty)
    #expect(try await ledger.prompt("p3")?.status == .cancelled)
  }

  @Test func `negative costs, tokens and durations are refused, and what does not fit together`() async throws {
    let ledger = try await ledger()
    let prompts: [Ledger.Prompt.Draft] = [
      .init("x", cost: -1), .init("x", tokensIn: -1), .init("x", tokensOut: -1), .init("x", latency: .seconds(-1)),
      .init("x\u{0}"), .init("x", model: ""), .init("x", response: "y", status: .pending),
      .init("x", error: "y", status: .completed), .init("x", id: ""),
    ]
    for draft in prompts {
      let error = await #expect(throws: MemoryError.self) { try await ledger.add(draft, to: "r") }
      #expect(error?.code == .invalid, "\(draft)")
    }
    let calls: [Ledger.ToolCall.Draft] = [
      .init("x", cost: -1), .init("x", tokens: -1), .init("", cost: 1), .init("x", duration: .seconds(-1)),
    ]
    for draft in calls { #expect(await refusal { try await ledger.add(draft, to: "r") } == .invalid, "\(draft)") }
    let id = try await ledger.add(Ledger.Prompt.Draft("x"), to: "r").id
    #expect(await refusal { try await ledger.finish(prompt: id, with: .init(cost: -1)) } == .invalid)
    #expect(await refusal { try await ledger.finish(prompt: id, with: .init(tokensIn: -1)) } == .invalid)
    #expect(await refusal { try await ledger.finish(prompt: id, as: .streaming) } == .invalid)
    #expect(await refusal { try await ledger.finish(prompt: id, error: "x") } == .invalid)
    #expect(try await ledger.entries(of: "r").count == 1)
  }

  @Test func `nothing is added to a run that is not there or has ended, nor under an id that is taken`() async throws {
    let ledger = try await ledger()
    #expect(await refusal { try await ledger.add(Ledger.Prompt.Draft("x"), to: "none") } == .notFound)
    try await ledger.add([Ledger.Prompt.Draft("x", id: "p")], to: "r")
    #expect(await refusal { try await ledger.add(Ledger.Prompt.Draft("x", id: "p"), to: "r") } == .conflict)
    let twice = [Ledger.Prompt.Draft("x", id: "q"), Ledger.Prompt.Draft("y", id: "q")]
    #expect(await refusal { try await ledger.add(twice, to: "r") } == .conflict)
    #expect(await refusal { try await ledger.add(Ledger.ToolCall.Draft("x", prompt: "none"), to: "r") } == .notFound)
    try await ledger.start(.init(.testing, domain: "d", status: .executing, id: "other"))
    #expect(await refusal { try await ledger.add(Ledger.ToolCall.Draft("x", prompt: "p"), to: "other") } == .conflict)
    try await ledger.finish(run: "r")
    #expect(await refusal { try await ledger.add(Ledger.Prompt.Draft("x"), to: "r") } == .conflict)
    #expect(try await ledger.entries(of: "r").count == 1)
    #expect(try await ledger.entries(of: "other").isEmpty)
  }

  @Test func `a cost that the sum has no room for is an error, and nothing is added`() async throws {
    let ledger = try await ledger()
    try await ledger.add(Ledger.Prompt.Draft("x", cost: .max - 1, id: "p"), to: "r")
    let prompts = [Ledger.Prompt.Draft("y", cost: 1), Ledger.Prompt.Draft("z", cost: 1)]
    #expect(await refusal { try await ledger.add(prompts, to: "r") } == .limitExceeded)
    #expect(try await ledger.run("r")?.cost == .max - 1)
    try await ledger.add(Ledger.ToolCall.Draft("y", cost: 1), to: "r")
    let waits = try await ledger.add(Ledger.Prompt.Draft("z"), to: "r").id
    #expect(await refusal { try await ledger.finish(prompt: waits, with: .init(cost: 1)) } == .limitExceeded)
    #expect(try await ledger.finish(prompt: waits, with: .init(cost: 0)).status == .completed)
    #expect(try await ledger.run("r")?.cost == .max)
  }

  @Test func `a response and a run are bounded by the limits`() async throws {
    var limits = Ledger.Limits()
    (limits.promptBytes, limits.entriesPerRun) = (10, 3)
    let ledger = try await ledger(limits)
    let id = try await ledger.add(Ledger.Prompt.Draft("x", status: .streaming), to: "r").id
    try await ledger.append("12345", toResponseOf: id)
    #expect(await refusal { try await ledger.append(["678", "901"], toResponseOf: id) } == .limitExceeded)
    try await ledger.append("67890", toResponseOf: id)
    #expect(await refusal { try await ledger.append("1", toResponseOf: id) } == .limitExceeded)
    #expect(try await ledger.finish(prompt: id).response == "1234567890")
    #expect(await refusal { try await ledger.add(Ledger.Prompt.Draft("12345678901"), to: "r") } == .limitExceeded)
    let more = (0..<3).map { Ledger.ToolCall.Draft("t\($0)") }
    #expect(await refusal { try await ledger.add(more, to: "r") } == .limitExceeded)
    try await ledger.add(Array(more.dropLast()), to: "r")
    #expect(await refusal { try await ledger.add(Ledger.Prompt.Draft("x"), to: "r") } == .limitExceeded)
  }

  @Test func `a run has 100000 prompts, and each page of them`() async throws {
    let ledger = try await ledger()
    let count = 100_000
    for start in stride(from: 0, to: count, by: 20_000) {
      try await ledger.add((start..<start + 20_000).map { Ledger.Prompt.Draft("\($0)", cost: 1) }, to: "r")
    }
    #expect(try await ledger.run("r")?.cost == Int64(count))
    var (position, seen) = (0, 0)
    while case let page = try await ledger.entries(of: "r", after: position, limit: 1000), let last = page.last {
      #expect(page.first?.position == position + 1)
      seen += page.count
      position = last.position
    }
    #expect(seen == count && position == count)
    try await ledger.finish(run: "r")
    #expect(try await ledger.prompts(.pending).isEmpty)
  }

  @Test func `calls that share a commit each add their own or fail alone`() async throws {
    let directory = try TemporaryDirectory()
    let ledger = try await Ledger.open(at: directory.path)
    for run in 0..<4 {
      try await ledger.start(.init(.testing, domain: "d", status: .executing, id: .init("r\(run)")))
    }
    let refused = await withTaskGroup(of: Int.self) { group in
      for number in 0..<200 {
        group.addTask {
          let run = Ledger.Run.ID(number % 10 == 9 ? "none" : "r\(number % 4)")
          let drafts = [Ledger.Entry.Draft.prompt(.init("\(number)", cost: 1)), .toolCall(.init("t\(number)"))]
          return await refusal { try await ledger.add(drafts, to: run) } == .notFound ? 1 : 0
        }
      }
      return await group.reduce(0, +)
    }
    #expect(refused == 20)
    var total = 0
    for run in 0..<4 {
      let entries = try await ledger.entries(of: .init("r\(run)"), limit: 1000)
      #expect(entries.map(\.position) == Array(1...entries.count))
      #expect(try await ledger.run(.init("r\(run)"))?.cost == Int64(entries.count / 2))
      total += entries.count
    }
    #expect(total == 360)
    try await ledger.close()
  }
}
