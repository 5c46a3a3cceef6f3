import AgentLedger
import Foundation
import StoreValues
import TestSupport
import Testing

@Suite struct `Runs against a model` {
  static let sequences = ProcessInfo.processInfo.environment["EPISODIC_SEQUENCES"].flatMap(UInt64.init) ?? 500
  static let parts: UInt64 = 10

  @Test(arguments: 0..<parts)
  func `a random sequence of calls has the outcomes of a model, and leaves what it has`(_ part: UInt64) async throws {
    for number in 0..<(Self.sequences / Self.parts) {
      var sequence = try await RunSequence(seed: 13_000_000 + part * 1_000_000 + number)
      for _ in 0..<60 { try await sequence.step() }
      try await sequence.expectEqual()
      try await sequence.ledger.close()
    }
  }
}

extension RunSequence {
  /// Compares everything, read in pages and by filters.
  func expectEqual() async throws {
    try await expectRuns()
    try await expectEntries()
    try await expectEvents()
    try await expectSamplesAndFiles()
  }

  private func require<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws {
    try #require(found == expected, "seed \(seed), \(what): \(trace)")
  }

  private func expectRuns() async throws {
    let agents = try await ledger.agents().map {
      RunModel.Agent(id: $0.id.rawValue, name: $0.name, model: $0.defaultModel)
    }
    try require(agents, model.agents.sorted { $0.name < $1.name }, "agents")
    let expected = model.runs.enumerated().sorted { ($0.element.started, $0.offset) > ($1.element.started, $1.offset) }
      .map(\.element)
    var found: [Ledger.Run] = []
    while case let page = try await ledger.runs(after: found.last?.id, limit: 3), !page.isEmpty { found += page }
    try require(found.map(RunModel.Run.init), expected, "runs")
    for run in expected {
      var filter = Ledger.Run.Filter(session: run.session, agent: run.agent.map { .init($0) })
      filter.status = .init(rawValue: run.status)
      let same = expected.filter {
        (run.session == nil || $0.session == run.session) && (run.agent == nil || $0.agent == run.agent)
          && $0.status == run.status
      }
      try require(try await ledger.runs(filter).map(\.id.rawValue), same.map(\.id), "runs like \(run.id)")
      let tree = try await ledger.tree(of: .init(run.id)).map { "\($0.run.id) \($0.depth)" }
      try require(tree, model.tree(run.id), "the tree of \(run.id)")
    }
  }

  private func expectEntries() async throws {
    for run in model.runs {
      var found: [Ledger.Entry] = []
      while case let page = try await ledger.entries(of: .init(run.id), after: found.last?.position ?? 0, limit: 2),
        !page.isEmpty
      {
        found += page
      }
      let expected = model.entries.filter { $0.run == run.id }
      try require(found.map(RunModel.Entry.init), expected, "entries of \(run.id)")
      try require(
        try await ledger.prompts(of: .init(run.id)).map(\.id.rawValue), expected.filter { $0.tool == nil }.map(\.id),
        "prompts of \(run.id)")
      try require(run.cost, expected.reduce(0) { $0 + $1.cost }, "the cost of \(run.id)")
    }
    for status in [Ledger.Prompt.Status.pending, .streaming, .failed] {
      let expected = model.entries.enumerated().filter { $0.element.status == status.rawValue }
        .sorted { ($0.element.created, $0.offset) < ($1.element.created, $1.offset) }
      try require(try await ledger.prompts(status).map(\.id.rawValue), expected.map(\.element.id), "prompts \(status)")
    }
    for entry in model.entries where entry.tool == nil {
      let expected = entry.status == "streaming" ? model.parts[entry.id] ?? "" : entry.response
      try require(try await ledger.response(to: .init(entry.id)), expected, "the response to \(entry.id)")
      let calls = model.entries.filter { $0.prompt == entry.id }.map(\.id)
      try require(
        try await ledger.toolCalls(ofPrompt: .init(entry.id)).map(\.id.rawValue), calls, "tool calls of \(entry.id)")
    }
  }

  private func expectEvents() async throws {
    let newest = model.events.enumerated().sorted { ($0.element.at, $0.offset) > ($1.element.at, $1.offset) }
      .map(\.element)
    var filters: [Ledger.Event.Filter] = [.init(), .init(Ledger.Event.Level.error.andAbove), .init(errorType: .api)]
    filters += Ledger.Event.Level.allCases.map { .init([$0]) }
    filters += model.runs.flatMap { run -> [Ledger.Event.Filter] in
      [.init(run: .init(run.id)), .init([.info, .error], run: .init(run.id))]
    }
    for filter in filters {
      var found: [Ledger.Event] = []
      while case let page = try await ledger.events(filter, after: found.last, limit: 2), !page.isEmpty {
        found += page
      }
      let expected = newest.filter { event in
        (filter.levels.isEmpty || filter.levels.contains(event.level))
          && (filter.run == nil || event.run == filter.run?.rawValue)
          && (filter.errorType == nil || event.errorType == filter.errorType?.rawValue)
      }
      try require(found.map(RunModel.Event.init), expected, "events \(filter)")
    }
  }

  private func expectSamplesAndFiles() async throws {
    let (start, end) = (Timestamp(milliseconds: 0), Timestamp(milliseconds: model.now + 86_400_000))
    for (name, label) in [("x", nil), ("x", "1"), ("y", "2"), ("y", nil)] {
      let expected = model.samples.filter { $0.name == name && (label == nil || $0.label == label) }
      let summary = try await ledger.summary(
        of: .init(rawValue: name), labels: label.map { ["l": $0] } ?? [:], in: .from(start, to: end))
      try require(
        [Double(summary.count), summary.sum, summary.minimum, summary.maximum],
        [
          Double(expected.count), expected.reduce(0) { $0 + $1.value }, expected.map(\.value).min(),
          expected.map(\.value).max(),
        ], "samples of \(name)")
    }
    for filter in [Ledger.FileAccess.Filter(), .init(path: "/a"), .init(task: "t0"), .init(run: "r1")] {
      let expected = model.files.reversed().filter { file in
        (filter.path == nil || file.path == filter.path) && (filter.task == nil || file.task == filter.task?.rawValue)
          && (filter.run == nil || file.run == filter.run?.rawValue)
      }
      let found = try await ledger.fileAccesses(filter, limit: 1000)
      try require(found.map(RunModel.File.init), expected, "files \(filter)")
    }
  }
}

extension RunModel.Run {
  init(_ run: Ledger.Run) {
    self.init(
      id: run.id.rawValue, agent: run.agent?.rawValue, parent: run.parent?.rawValue, task: run.task?.rawValue,
      domain: run.domain, session: run.session, status: run.status.rawValue, cost: run.cost, rate: run.successRate,
      error: run.error?.hasPrefix("abandoned") == true ? "abandoned" : run.error,
      heartbeat: run.lastHeartbeat.milliseconds, started: run.startedAt.milliseconds,
      completed: run.completedAt?.milliseconds)
  }
}

extension RunModel.Entry {
  init(_ entry: Ledger.Entry) {
    switch entry {
    case .prompt(let prompt):
      self.init(
        id: prompt.id.rawValue, run: prompt.run.rawValue, position: prompt.position, status: prompt.status.rawValue,
        response: prompt.response, tokens: prompt.tokensIn, cost: prompt.cost,
        latency: prompt.latency.map {
          $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000
        },
        error: prompt.error, created: prompt.createdAt.milliseconds, completed: prompt.completedAt?.milliseconds)
    case .toolCall(let call):
      self.init(
        id: call.id.rawValue, run: call.run.rawValue, position: call.position, tool: call.tool,
        prompt: call.prompt?.rawValue, cost: call.cost, created: call.createdAt.milliseconds)
    }
  }
}

extension RunModel.Event {
  init(_ event: Ledger.Event) {
    self.init(
      level: event.level, errorType: event.errorType?.rawValue, run: event.run?.rawValue, task: event.task?.rawValue,
      at: event.createdAt.milliseconds, message: event.message)
  }
}

extension RunModel.File {
  init(_ access: Ledger.FileAccess) {
    self.init(
      path: access.path, operation: access.operation.rawValue, run: access.run?.rawValue, task: access.task?.rawValue,
      at: access.at.milliseconds)
  }
}
