import AgentLogs
import ArgumentParser
import Episodic
import Foundation

struct SyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Takes in what is new in the logs of a coding agent.",
    discussion: """
      Reads the logs that Claude Code keeps in ~/.claude/projects (CLAUDE_CONFIG_DIR), or Codex in ~/.codex/sessions and \
      archived_sessions (CODEX_HOME): each prompt is an episode, each call of a tool a step. What is there already is not \
      stored again, a log that grew adds its steps, and logs that did not change are not read.

      A log rarely says whether a task succeeded: then the episode is completed, its metadata have "verdict": null, and its \
      success rate is that of its steps. Credentials are replaced. The domain is that of episodic hook: the name of the git repository.

      Other folders, and single logs: see episodic import --format.

      EXAMPLES:
        episodic sync claude
        episodic sync codex --since 30d --dry-run
        episodic sync claude --watch
      """)

  private static let pause = Duration.seconds(5)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("claude or codex.", valueName: "agent"))
  var agent: AgentWithLogs

  @Option(help: ArgumentHelp("Leave out what began before.", valueName: "time"), transform: TimeText.parse)
  var since: Timestamp?

  @Option(help: ArgumentHelp("The domain of all episodes, if not that of each directory.", valueName: "domain"))
  var domain: String?

  @Flag(help: "Say what would be stored.")
  var dryRun = false

  @Flag(help: "Go on until it is interrupted: look every 5 seconds.")
  var watch = false

  @Flag(help: "Print the report as one JSON object.")
  var json = false

  func validate() throws {
    if let domain, domain.isEmpty { throw ValidationError("--domain is empty; name one, or leave it out") }
    guard !(watch && dryRun) else { throw ValidationError("--watch and --dry-run exclude each other; give one") }
  }

  func run() async throws {
    let run = LogRun(
      store: store, options: LogImporter.Options(format: agent.format, since: since, domain: domain, isDryRun: dryRun),
      isJSON: json)
    try await run.run(try files(), isSync: true)
    guard watch else { return }
    try await store.withMemory(for: .largeImport) { memory in
      while true {
        try await Task.sleep(for: Self.pause)
        let report = try await run.take(try files(), into: memory, isSync: true)
        guard report.added + report.changed > 0 else { continue }
        json ? StandardOutput.write(report.json) : run.print(report)
      }
    }
  }

  private func files() throws(MemoryError) -> [LogFile] {
    let home = try PathText.expanded("~", of: "the home directory")
    func folder(_ variable: String, _ name: String) -> String {
      let set = ProcessInfo.processInfo.environment[variable] ?? ""
      return set.isEmpty ? URL(filePath: home).appending(path: name).path(percentEncoded: false) : set
    }
    let folders: [String] =
      switch agent {
      case .claude: [folder("CLAUDE_CONFIG_DIR", ".claude") + "/projects"]
      case .codex: ["sessions", "archived_sessions"].map { folder("CODEX_HOME", ".codex") + "/" + $0 }
      }
    let existing = folders.filter { access($0, F_OK) == 0 }
    guard !existing.isEmpty else {
      throw MemoryError(
        .notFound,
        "there are no logs in \(folders.joined(separator: " or ")); name another folder with import --format \(agent.rawValue)"
      )
    }
    return try LogFile.all(at: existing)
  }
}

/// An agent whose logs are in a folder that is known.
enum AgentWithLogs: String, CaseIterable, ExpressibleByArgument {
  case claude, codex

  var format: LogFormat {
    switch self {
    case .claude: .claude
    case .codex: .codex
    }
  }
}
