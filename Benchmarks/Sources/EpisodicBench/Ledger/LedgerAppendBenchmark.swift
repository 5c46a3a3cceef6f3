import CRawSQLite
import Episodic

/// Appends prompts, tool calls and events to one run: in batches, and one by one beside raw SQLite.
struct LedgerAppendBenchmark {
  /// Consecutive calls of one side.
  private static let turn = 16
  private static let warmUp = 4 * turn
  private static let batch = 1000
  /// Asked of each kind of row.
  private static let rowsPerSecond = 20_000.0

  /// Rows of each kind in batches, for each durability.
  let rows: Int
  /// Appends one by one, of each side.
  let calls: Int
  let scratch: ScratchDirectory
  let progress: Progress

  func run(_ probe: SyncProbe, _ report: inout Report) async throws {
    for survivesPowerLoss in [true, false] {
      let section = "appends, " + (survivesPowerLoss ? "full" : "normal")
      let ledger = try await open(section + "-library", survivesPowerLoss)
      try await batches(ledger, section, &report)
      try await oneByOne(ledger, survivesPowerLoss, section, probe, &report)
      try await ledger.close()
    }
  }

  // MARK: In batches

  private func batches(_ ledger: Ledger, _ section: String, _ report: inout Report) async throws {
    let run = try await ledger.start(Ledger.Run.Draft(.testing, domain: "web", context: "appends")).id
    var prompts = Series("prompts", "Ledger.add of \(Self.batch) prompts with their responses in one commit")
    var calls = Series("tool calls", "Ledger.add of \(Self.batch) tool calls in one commit")
    var events = Series("events", "Ledger.log of \(Self.batch) events of the run in one commit")
    for start in stride(from: 0, to: rows, by: Self.batch) {
      progress.show("batches, \(section)", start, of: rows)
      let numbers = start..<min(rows, start + Self.batch)
      let newPrompts = numbers.map(Self.prompt)
      let newCalls = numbers.map(Self.call)
      let newEvents = numbers.map { Self.event($0, of: run) }
      var before = raw_now()
      try await ledger.add(newPrompts, to: run)
      prompts.record(since: before, items: numbers.count)
      before = raw_now()
      try await ledger.add(newCalls, to: run)
      calls.record(since: before, items: numbers.count)
      before = raw_now()
      try await ledger.log(newEvents)
      events.record(since: before, items: numbers.count)
    }
    for series in [prompts, calls, events] {
      report.rows.append(Row(series, section: section))
      report.ratios.append(
        Ratio(
          "\(series.name) per second, in batches", section: section, series.itemsPerSecond, over: 1,
          target: .atLeast(Self.rowsPerSecond)))
    }
  }

  // MARK: One by one

  /// Both sides append the same tool calls, in turns, each to a file of its own. The target is of commits that survive loss of
  /// power, the default; without a sync there is little but the change of thread that shared commits need.
  private func oneByOne(
    _ ledger: Ledger, _ survivesPowerLoss: Bool, _ section: String, _ probe: SyncProbe, _ report: inout Report
  ) async throws {
    let run = try await ledger.start(Ledger.Run.Draft(.testing, domain: "web", context: "one by one")).id
    let other = try await open(section + "-raw", survivesPowerLoss)
    let rawRun = try await other.start(Ledger.Run.Draft(.testing, domain: "web", context: "one by one")).id
    try await other.close()
    let raw = try RawLedger(in: scratch.path(of: section + "-raw"), survivesPowerLoss: survivesPowerLoss)
    var library = Series("tool call", "Ledger.add of one tool call: a commit each")
    var bare = Series("raw tool call", "one prepared INSERT of the same row in C, a commit each")
    for start in stride(from: 0, to: Self.warmUp + calls, by: Self.turn) {
      let isMeasured = start >= Self.warmUp
      progress.show("one by one, \(section)", start, of: Self.warmUp + calls)
      for number in start..<start + Self.turn {
        let call = Self.call(number)
        let before = raw_now()
        _ = try await ledger.add(call, to: run)
        if isMeasured { library.record(since: before) }
      }
      for number in start..<start + Self.turn {
        let call = Self.call(number)
        let id = Ledger.ToolCall.ID.generate(at: .now).rawValue
        let before = raw_now()
        try raw.append(
          id: id, to: rawRun.rawValue, position: Int64(number + 1), tool: call.tool,
          arguments: call.arguments.canonicalText, result: call.result ?? "", at: Timestamp.now.milliseconds)
        if isMeasured { bare.record(since: before) }
      }
      try probe.sample()
    }
    for series in [library, bare] { report.rows.append(Row(series, section: section)) }
    report.ratios.append(
      Ratio(
        "tool call / raw tool call, p50", section: section, library.p50, over: bare.p50,
        target: survivesPowerLoss ? .atMost(1.5) : nil))
  }

  private func open(_ name: String, _ survivesPowerLoss: Bool) async throws -> Ledger {
    var options = Ledger.OpenOptions()
    options.survivesPowerLoss = survivesPowerLoss
    return try await Ledger.open(at: scratch.path(of: name), options: options)
  }

  // MARK: Rows

  private static func prompt(_ number: Int) -> Ledger.Prompt.Draft {
    Ledger.Prompt.Draft(
      "Which test fails in module \(number), and why? Look at the log before anything is changed.",
      response: "The test of the parser: it expects a comma. The last change removed it.", model: "model-\(number % 5)",
      tokensIn: 900, tokensOut: 120, cost: 450, latency: .milliseconds(1200))
  }

  private static func call(_ number: Int) -> Ledger.ToolCall.Draft {
    Ledger.ToolCall.Draft(
      "shell", arguments: ["command": .string("swift test --filter Module\(number)")],
      result: "1 test failed: expected a comma at line \(number)", success: true, duration: .milliseconds(number % 5000)
    )
  }

  private static func event(_ number: Int, of run: Ledger.Run.ID) -> Ledger.Event.Draft {
    Ledger.Event.Draft(
      "the tests of module \(number) ran", level: .info, run: run, details: ["failed": 1, "module": JSON(number)])
  }
}
