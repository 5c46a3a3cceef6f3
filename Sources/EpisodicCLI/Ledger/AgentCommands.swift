import ArgumentParser
import Episodic

struct LedgerAgentCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "agent", abstract: "Registers agents, whose runs are logged.",
    discussion: """
      EXAMPLES:
        episodic ledger agent add ada --type builder --model small-1
        episodic ledger agent list
      """,
    subcommands: [AgentAdd.self, AgentList.self])
}

struct AgentAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Registers an agent and prints its id.",
    discussion: """
      EXAMPLES:
        episodic ledger agent add ada --type builder --model small-1
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("A name that no other has.", valueName: "name"))
  var name: String

  @Option(
    help: ArgumentHelp("planner, builder, reviewer, tester, orchestrator or utility.", valueName: "type"),
    transform: ClosedName.parse)
  var type: Ledger.Agent.Kind = .utility

  @Option(help: ArgumentHelp("The model that it uses by default.", valueName: "name"))
  var model: String?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let agent = try await store.withLedger(creating: true) { ledger in
      var draft = Ledger.Agent.Draft(name, type: type)
      draft.defaultModel = model
      return try await ledger.add(draft)
    }
    try LedgerList.write(agent, output, agent.id.rawValue)
  }
}

struct AgentList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the agents by name.",
    discussion: """
      EXAMPLES:
        episodic ledger agent list
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let agents = try await store.withLedger { ledger in try await ledger.agents(limit: 1000) }
    try LedgerList.write(
      agents, as: "agents", output, empty: "no agents",
      [.init("NAME"), .init("TYPE"), .init("MODEL", rank: 1), .init("ID", rank: 2)]
    ) { agent in
      [
        .init(agent.name), .init(agent.type.rawValue), .init(agent.defaultModel ?? ""), .init(agent.id.rawValue),
      ]
    }
  }
}
