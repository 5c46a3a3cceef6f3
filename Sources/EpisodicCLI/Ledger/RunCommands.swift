import ArgumentParser
import Episodic

struct LedgerRun: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Logs what an agent is doing; a finished run becomes an episode.",
    discussion: """
      A run goes from initializing over planning, executing and reviewing to completed, failed or cancelled. Its prompts and \
      tool calls are the steps of the episode that it becomes: see episodic ledger consolidate.

      EXAMPLES:
        run=$(episodic ledger run start --task debugging --domain web --context "the login fails")
        episodic ledger run log "$run" --prompt "what is wrong?" --response "the cookie has expired"
        episodic ledger run log "$run" --tool shell --arguments '{"command": "npm test"}' --result "1 failure" --failed
        episodic ledger run finish "$run"
        episodic ledger consolidate
      """,
    subcommands: [
      RunStart.self, RunLog.self, RunSet.self, RunFinish.self, RunCancel.self, RunShow.self, RunTreeCommand.self,
      RunList.self,
    ])
}

struct RunStart: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Starts a run and prints its id.",
    discussion: """
      The ledger is created if there is none. A run of a task takes over its domain and session.

      EXAMPLES:
        episodic ledger run start --task debugging --domain web --context "the login fails"
        episodic ledger run start --task testing --of-task 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Kind of task of the episode, such as debugging.", valueName: "type"))
  var task: String

  @Option(help: ArgumentHelp("The domain; that of the task by default.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("The task of the ledger that it works on.", valueName: "id"))
  var ofTask: String?

  @Option(help: ArgumentHelp("What is to be done, in words.", valueName: "text"))
  var context: String?

  @Option(help: ArgumentHelp("The session it belongs to.", valueName: "session"))
  var session: String?

  @Option(help: ArgumentHelp("The agent that runs, by its name.", valueName: "name"))
  var agent: String?

  @Option(help: ArgumentHelp("The run that it is a part of.", valueName: "id"))
  var parent: String?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let run = try await store.withLedger(creating: true) { ledger in
      var draft = Ledger.Run.Draft(
        Ledger.Run.TaskType(rawValue: task), domain: domain, context: context ?? "")
      draft.session = session
      draft.task = ofTask.map { Ledger.Task.ID($0) }
      draft.parent = parent.map { Ledger.Run.ID($0) }
      draft.status = .executing
      if let agent { draft.agent = try await agentID(agent, in: ledger) }
      return try await ledger.start(draft)
    }
    try LedgerList.write(run, output, run.id.rawValue)
  }

  private func agentID(_ name: String, in ledger: Ledger) async throws -> Ledger.Agent.ID {
    if let known = try await ledger.agent(named: name) { return known.id }
    throw ValidationError("no agent \"\(name)\"; add it with episodic ledger agent add, or leave --agent out")
  }
}

struct RunLog: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Appends a prompt or a tool call to a run.",
    discussion: """
      EXAMPLES:
        episodic ledger run log 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --prompt "what is wrong?" --response "the cookie has expired"
        episodic ledger run log 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --tool shell --arguments '{"command": "npm test"}' --failed
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The run's id.", valueName: "id"))
  var id: String

  @Option(help: ArgumentHelp("A prompt.", valueName: "text"))
  var prompt: String?

  @Option(help: ArgumentHelp("The response to it.", valueName: "text"))
  var response: String?

  @Option(help: ArgumentHelp("The model that answered.", valueName: "name"))
  var model: String?

  @Option(help: ArgumentHelp("A tool that was called.", valueName: "name"))
  var tool: String?

  @Option(help: ArgumentHelp("Its arguments, as JSON.", valueName: "json"), transform: MetadataText.parseValue)
  var arguments: JSON?

  @Option(help: ArgumentHelp("Its result.", valueName: "text"))
  var result: String?

  @Option(help: ArgumentHelp("Tokens that it took: of the prompt, or of the tool call.", valueName: "n"))
  var tokens: Int?

  @Option(help: ArgumentHelp("Micro-dollars that it cost.", valueName: "n"))
  var cost: Int64?

  @Flag(help: "It succeeded.")
  var succeeded = false

  @Flag(help: "It failed.")
  var failed = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (prompt == nil) != (tool == nil) else { throw ValidationError("give one of --prompt and --tool") }
    guard !(succeeded && failed) else { throw ValidationError("give one of --succeeded and --failed, or neither") }
  }

  func run() async throws {
    let run = Ledger.Run.ID(id)
    let entry = try await store.withLedger { ledger -> Ledger.Entry in
      if let prompt {
        return .prompt(
          try await ledger.add(
            Ledger.Prompt.Draft(
              prompt, response: response, model: model, tokensIn: tokens ?? 0, cost: cost ?? 0,
              status: failed ? .failed : nil), to: run))
      }
      return .toolCall(
        try await ledger.add(
          Ledger.ToolCall.Draft(
            tool ?? "", arguments: arguments ?? [:], result: result, success: succeeded ? true : failed ? false : nil,
            tokens: tokens ?? 0, cost: cost ?? 0), to: run))
    }
    try LedgerList.write(entry, output, "entry \(entry.position)")
  }
}

struct RunSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Says what a run is doing: planning, executing or reviewing.",
    discussion: """
      EXAMPLES:
        episodic ledger run set 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 reviewing
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The run's id.", valueName: "id"))
  var id: String

  @Argument(
    help: ArgumentHelp("planning, executing or reviewing.", valueName: "status"), transform: ClosedName.parse)
  var status: Ledger.Run.Status

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let run = try await store.withLedger { ledger in try await ledger.set(status, of: Ledger.Run.ID(id)) }
    try LedgerList.write(run, output, "\(run.id): \(run.status.rawValue)")
  }
}

struct RunFinish: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finish", abstract: "Ends a run.",
    discussion: """
      EXAMPLES:
        episodic ledger run finish 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
        episodic ledger run finish 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --as failed --error "no idea" --success-rate 0.2
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The run's id.", valueName: "id"))
  var id: String

  @Option(
    name: .customLong("as"), help: ArgumentHelp("completed, failed or cancelled.", valueName: "status"),
    transform: ClosedName.parse)
  var status: Ledger.Run.Status = .completed

  @Option(help: ArgumentHelp("0 to 1.", valueName: "rate"))
  var successRate: Double?

  @Option(help: ArgumentHelp("What went wrong.", valueName: "text"))
  var error: String?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let run = try await store.withLedger { ledger in
      try await ledger.finish(run: Ledger.Run.ID(id), as: status, successRate: successRate, error: error)
    }
    try LedgerList.write(run, output, "\(run.id): \(run.status.rawValue)")
  }
}

struct RunCancel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Cancels a run and all below it.",
    discussion: """
      EXAMPLES:
        episodic ledger run cancel 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The run's id.", valueName: "id"))
  var id: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let cancelled = try await store.withLedger { ledger in try await ledger.cancel(run: Ledger.Run.ID(id)) }
    if output.json { return StandardOutput.write(["cancelled": .array(cancelled.map { .string($0.rawValue) })]) }
    for run in cancelled { StandardOutput.write("\(run): cancelled".onOneLine) }
  }
}

struct RunShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows a run with its prompts and tool calls as JSON.",
    discussion: """
      EXAMPLES:
        episodic ledger run show 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --limit 1000
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The run's id.", valueName: "id"))
  var id: String

  @Option(help: ArgumentHelp("Entries behind this position.", valueName: "n"))
  var after = 0

  @Option(help: ArgumentHelp("Entries to show, 1 to 1000.", valueName: "n"))
  var limit = 100

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let shown = try await store.withLedger { ledger -> JSON in
      let run = try LedgerList.found(try await ledger.run(Ledger.Run.ID(id)), "run", id)
      let entries = try await ledger.entries(of: run.id, after: after, limit: limit)
      return ["run": try JSON(ledger: run), "entries": .array(try entries.map { try JSON(ledger: $0) })]
    }
    StandardOutput.write(shown)
  }
}

struct RunTreeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tree", abstract: "Shows a run and all below it.",
    discussion: """
      EXAMPLES:
        episodic ledger run tree 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The run's id.", valueName: "id"))
  var id: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let nodes = try await store.withLedger { ledger in try await ledger.tree(of: Ledger.Run.ID(id)) }
    if output.json {
      return StandardOutput.write(["runs": .array(try nodes.map { try JSON(ledger: $0) })])
    }
    for node in nodes {
      let indent = String(repeating: "  ", count: node.depth)
      let words = node.run.context.isEmpty ? node.run.taskType.rawValue : node.run.context
      StandardOutput.write("\(indent)\(node.run.id)  \(node.run.status.rawValue)  \(words)".onOneLine)
    }
  }
}

struct RunList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists runs, newest first.",
    discussion: """
      EXAMPLES:
        episodic ledger run list --status executing
        episodic ledger run list --session s1 --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(
    help: ArgumentHelp(
      "initializing, planning, executing, reviewing, completed, failed or cancelled.", valueName: "status"),
    transform: ClosedName.parse)
  var status: Ledger.Run.Status?

  @Option(help: ArgumentHelp("Only of this domain.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("Only of this session.", valueName: "session"))
  var session: String?

  @Option(help: ArgumentHelp("Continue after this run, the last of a previous list.", valueName: "id"))
  var afterRun: String?

  @Option(help: ArgumentHelp("Runs to list, 1 to 1000.", valueName: "n"))
  var limit = 20

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    var filter = Ledger.Run.Filter()
    (filter.status, filter.domain, filter.session) = (status, domain, session)
    let runs = try await store.withLedger { [filter] ledger in
      try await ledger.runs(filter, after: afterRun.map { Ledger.Run.ID($0) }, limit: limit)
    }
    try LedgerList.write(
      runs, as: "runs", output, empty: "no runs",
      [
        .init("RUN"), .init("STATUS"), .init("TASK", rank: 2), .init("DOMAIN", rank: 3), .init("STARTED", rank: 2),
        .init("COST", isNumber: true, rank: 4), .init("CONTEXT", isText: true, rank: 1),
      ]
    ) { run in
      [
        .init(run.id.rawValue), .init(run.status.rawValue), .init(run.taskType.rawValue), .init(run.domain),
        .init(times.format.inTable(run.startedAt)), .init(LedgerFigures.dollars(run.cost)), .init(run.context),
      ]
    }
  }
}
