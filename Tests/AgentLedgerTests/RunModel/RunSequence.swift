import AgentLedger
import StoreValues
import TestSupport
import Testing

/// A random sequence of calls, made of a ledger and of the model; each must have the same outcome.
struct RunSequence {
  let seed: UInt64
  private(set) var model: RunModel
  let ledger: Ledger
  private let clock: ManualClock
  private(set) var random: SeededGenerator
  private(set) var trace: [String] = []

  init(seed: UInt64) async throws {
    self.seed = seed
    random = SeededGenerator(seed: seed)
    clock = ManualClock()
    ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.add(Ledger.Task.Draft("t", domain: "of t0", session: "s0", id: "t0"))
    try await ledger.add(Ledger.Task.Draft("t", domain: "of t1", id: "t1"))
    model = RunModel(
      now: clock.now().milliseconds, tasks: ["t0": ("of t0", "s0"), "t1": ("of t1", nil)])
  }

  // MARK: Random values

  private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
  private mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
  private mutating func maybe(_ value: String) -> String? { chance(2) ? value : nil }
  private mutating func agent() -> String { "a\(Int.random(in: 0..<3, using: &random))" }
  private mutating func run() -> String { "r\(Int.random(in: 0..<8, using: &random))" }
  private mutating func prompt() -> String { "p\(Int.random(in: 0..<16, using: &random))" }
  private mutating func task() -> String { "t\(Int.random(in: 0..<3, using: &random))" }
  private mutating func cost() -> Int64 {
    chance(20) ? -1 : chance(15) ? .max / 2 : .random(in: 0...50, using: &random)
  }

  static let statuses = Ledger.Run.Status.allCases.map(\.rawValue)

  mutating func step() async throws {
    switch Int.random(in: 0..<40, using: &random) {
    case 0: try await addAgent()
    case 1: try await changeAgent()
    case 2..<8: try await startRun()
    case 8..<13: try await setStatus()
    case 13..<16: try await finishRun()
    case 16: try await heartbeat()
    case 17: try await cancel()
    case 18: try await failAbandoned()
    case 19..<22: advance()
    case 22..<28: try await addEntries()
    case 28..<33: try await respond()
    case 33..<35: try await finishPrompt()
    case 35..<37: try await log()
    case 37..<39: try await recordSamples()
    default: try await recordFiles()
    }
  }

  private mutating func expect(
    _ what: String, _ expected: RunModel.Refusal?, _ call: () async throws -> some Any
  ) async throws {
    trace.append("\(what): \(expected?.rawValue ?? "done")")
    let found = await refusal(call)
    try #require(found == expected, "seed \(seed): \(trace.suffix(12))")
  }

  private mutating func advance() {
    let milliseconds = chance(6) ? -3_600_000 : pick([1, 500, 1000, 30_000])
    clock.advance(by: .milliseconds(milliseconds))
    model.now = clock.now().milliseconds
    trace.append("the clock goes on by \(milliseconds) ms")
  }

  // MARK: Agents

  private mutating func addAgent() async throws {
    let (id, name) = (agent(), pick(["x", "y", "z", ""]))
    try await expect("add agent \(id) \(name)", model.addAgent(id, name: name)) { [ledger] in
      try await ledger.add(Ledger.Agent.Draft(name, type: .builder, id: .init(id)))
    }
  }

  private mutating func changeAgent() async throws {
    let id = agent()
    if chance(2) {
      return try await expect("remove agent \(id)", model.removeAgent(id)) { [ledger] in
        try await ledger.remove(agent: .init(id))
      }
    }
    let (name, language): (String?, String??) = (maybe(pick(["x", "y", ""])), pick([nil, .some(nil), "m"]))
    try await expect("update agent \(id)", model.updateAgent(id, name: name, model: language)) { [ledger] in
      try await ledger.update(.init(id), with: .init(name: name, defaultModel: language))
    }
  }

  // MARK: Runs

  private mutating func startRun() async throws {
    let (id, domain, session) = (run(), maybe("d"), maybe("s1"))
    let (agent, parent, task) = (chance(6) ? agent() : nil, chance(3) ? run() : nil, maybe(task()))
    let expected = model.start(id, domain: domain, session: session, agent: agent, parent: parent, task: task)
    try await expect("start \(id) below \(parent ?? "none")", expected) { [ledger] in
      try await ledger.start(
        .init(
          .testing, domain: domain, session: session, agent: agent.map { .init($0) }, task: task.map { .init($0) },
          parent: parent.map { .init($0) }, id: .init(id)))
    }
  }

  private mutating func setStatus() async throws {
    let (id, status) = (run(), pick(Self.statuses))
    try await expect("set \(id) \(status)", model.set(id, status)) { [ledger] in
      try await ledger.set(#require(Ledger.Run.Status(rawValue: status)), of: .init(id))
    }
  }

  private mutating func finishRun() async throws {
    let (id, status, error) = (run(), pick(Self.statuses), maybe("why"))
    let rate = pick([nil, 0, 0.5, 1, 1.5, Double.nan])
    try await expect("finish \(id) \(status)", model.finish(id, status, rate: rate, error: error)) { [ledger] in
      try await ledger.finish(
        run: .init(id), as: #require(Ledger.Run.Status(rawValue: status)), successRate: rate, error: error)
    }
  }

  private mutating func heartbeat() async throws {
    let id = run()
    try await expect("heartbeat \(id)", model.heartbeat(id)) { [ledger] in try await ledger.heartbeat(run: .init(id)) }
  }

  private mutating func cancel() async throws {
    let id = run()
    let expected = model.cancel(id)
    trace.append("cancel \(id)")
    guard let expected else {
      return try await expect("cancel", .notFound) { [ledger] in try await ledger.cancel(run: .init(id)) }
    }
    let found = Set(try await ledger.cancel(run: .init(id)).map(\.rawValue))
    try #require(found == expected, "seed \(seed): \(trace.suffix(12))")
  }

  private mutating func failAbandoned() async throws {
    let silence = pick([1, 1000, 60_000] as [Int64])
    let expected = model.failAbandoned(silence)
    trace.append("fail abandoned after \(silence): \(expected)")
    let found = try await ledger.failAbandoned(after: .milliseconds(silence)).map(\.rawValue)
    try #require(found == expected, "seed \(seed): \(trace.suffix(12))")
  }

  // MARK: Prompts and tool calls

  private mutating func addEntries() async throws {
    let id = run()
    let new = (0..<Int.random(in: 1...4, using: &random)).map { _ in
      chance(3)
        ? RunModel.Entry(
          id: "c\(Int.random(in: 0..<40, using: &random))", run: id, position: 0, tool: "bash", prompt: maybe(prompt()),
          cost: cost(), created: 0)
        : RunModel.Entry(
          id: prompt(), run: id, position: 0, status: pick(["pending", "streaming", "completed"]), cost: cost(),
          created: 0)
    }.map { entry in
      var entry = entry
      if entry.status == "completed" { (entry.response, entry.tokens) = ("answer", 3) }
      return entry
    }
    try await expect("add \(new.map(\.id)) to \(id)", model.add(new, to: id)) { [ledger] in
      let drafts = try new.map { entry in
        if let tool = entry.tool {
          return Ledger.Entry.Draft.toolCall(
            .init(tool, cost: entry.cost, prompt: entry.prompt.map { .init($0) }, id: .init(entry.id)))
        }
        let status = try #require(Ledger.Prompt.Status(rawValue: entry.status ?? ""))
        return .prompt(
          .init(
            "ask", response: entry.response, tokensIn: entry.tokens, cost: entry.cost, status: status,
            id: .init(entry.id)))
      }
      return try await ledger.add(drafts, to: .init(id))
    }
  }

  private mutating func respond() async throws {
    let id = prompt()
    if chance(3) {
      return try await expect("begin \(id)", model.begin(id)) { [ledger] in
        try await ledger.beginResponse(to: .init(id))
      }
    }
    let parts = (0..<Int.random(in: 0...3, using: &random)).map { _ in pick(["a", "b c", "", "e\u{301}", "\n"]) }
    try await expect("append \(parts) to \(id)", model.append(parts, id)) { [ledger] in
      try await ledger.append(parts, toResponseOf: .init(id))
    }
  }

  private mutating func finishPrompt() async throws {
    let (id, status) = (prompt(), pick(["completed", "completed", "failed", "cancelled", "pending"]))
    let (response, error) = (chance(4) ? "whole" : nil, chance(3) ? "why" : nil)
    let (cost, tokens) = (chance(2) ? cost() : nil, chance(2) ? Int.random(in: -1...20, using: &random) : nil)
    let expected = model.finishPrompt(id, status, response: response, cost: cost, tokens: tokens, error: error)
    try await expect("finish \(id) \(status)", expected) { [ledger] in
      try await ledger.finish(
        prompt: .init(id), as: #require(Ledger.Prompt.Status(rawValue: status)),
        with: .init(response, tokensIn: tokens, cost: cost), error: error)
    }
  }

  // MARK: Events, samples and files

  private mutating func log() async throws {
    let new = (0..<Int.random(in: 1...3, using: &random)).map { number in
      RunModel.Event(
        level: pick(Ledger.Event.Level.allCases), errorType: maybe(pick(["api", "timeout"])), run: maybe(run()),
        task: chance(4) ? task() : nil, at: model.now, message: "\(trace.count) \(number)")
    }
    try await expect("log \(new.count)", model.log(new)) { [ledger] in
      try await ledger.log(
        new.map { event in
          .init(
            event.message, level: event.level, errorType: event.errorType.map { .init(rawValue: $0) },
            run: event.run.map { .init($0) }, task: event.task.map { .init($0) })
        })
    }
  }

  private mutating func recordSamples() async throws {
    let new = (0..<Int.random(in: 1...5, using: &random)).map { _ in
      RunModel.Sample(
        name: pick(["x", "y"]), label: maybe(pick(["1", "2"])),
        value: chance(40) ? .nan : Double(Int.random(in: -9...9, using: &random)), at: model.now)
    }
    try await expect("record \(new.count) samples", model.record(new)) { [ledger] in
      try await ledger.record(
        new.map { sample in
          Ledger.Sample.Draft(
            sample.value, of: .init(rawValue: sample.name), labels: sample.label.map { ["l": $0] } ?? [:])
        })
    }
  }

  private mutating func recordFiles() async throws {
    let operations = Ledger.FileAccess.Operation.allCases
    let new = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      RunModel.File(
        path: pick(["/a", "/b"]), operation: pick(operations).rawValue, run: maybe(run()), task: maybe(task()),
        at: model.now)
    }
    try await expect("record \(new.count) files", model.record(new)) { [ledger] in
      try await ledger.record(
        new.map { file in
          Ledger.FileAccess.Draft(
            try #require(.init(rawValue: file.operation)), of: file.path, run: file.run.map { .init($0) },
            task: file.task.map { .init($0) })
        })
    }
  }
}
