import ArgumentParser
import Episodic
import Foundation
import Logging

/// The command `episodic`: its help and its exit codes; each subcommand is a file in Commands/.
@main
struct EpisodicCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "episodic",
    abstract: "Records what an agent did, keeps what worked, and recalls the right past attempt.",
    discussion: """
      A store is a directory: --store DIR, else the environment variable EPISODIC_STORE, else ./.episodic. The \
      commands import and record create it if it does not exist.

      EXAMPLES:
        episodic record --task testing --domain web -- npm test
        episodic recall "connection refused" --domain web
        episodic show 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
        episodic import runs.jsonl && episodic export --output copy.jsonl

      EXIT CODES:
        0  done
        1  no such episode, a check failed, or --keep-going left lines out
        2  bad usage or bad input; nothing was changed
        3  the store is unavailable, damaged, or no store
      """,
    version: "0.1.0",
    subcommands: [
      Import.self, Export.self, Recall.self, Record.self, List.self, Show.self, Stats.self, Check.self, Rebuild.self,
    ])

  /// Replaces the library's `main`, which exits with 64 on bad usage.
  static func main() async {
    OutputDrain.runIfRequested()
    _ = ProcessStart.state
    // `episodic export | head` ends silently like any filter; `record`, which must outlive its reader, changes this.
    signal(SIGPIPE, SIG_DFL)
    LoggingSystem.bootstrap(StandardErrorLog.init)
    do {
      try DescriptorLimit.require()
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      ExitReport(error).exit()
    }
  }
}

/// The output of a failed command: one line on standard error for each problem, and the exit code.
private struct ExitReport {
  let lines: [String]
  let code: Int32
  /// Help or the version, which the parser throws as errors and which go to standard output.
  private let help: String?

  init(_ error: any Error) {
    switch error {
    case let code as ExitCode:
      self.init(lines: [], code: code.rawValue)
    case let error as MemoryError:
      // The message names a single bad line itself; of several, each gets a line.
      let rejected = (error.cause as? RejectedLines)?.lines ?? []
      let each = rejected.count > 1 ? rejected.map(\.description) : []
      let last =
        each.isEmpty ? error.message : "nothing was imported; correct the lines, or leave them out with --keep-going"
      self.init(lines: each + [last], code: Self.code(for: error.code))
    default:
      switch EpisodicCommand.exitCode(for: error) {
      case .success: self.init(lines: [], code: 0, help: EpisodicCommand.fullMessage(for: error))
      case .validationFailure: self.init(lines: [Self.usage(error)], code: 2)
      default: self.init(lines: ["\(error)"], code: 3)
      }
    }
  }

  private init(lines: [String], code: Int32, help: String? = nil) {
    self.lines = lines
    self.code = code
    self.help = help
  }

  func exit() -> Never {
    if let help { StandardOutput.write(help) }
    for line in lines { StandardError.write("episodic: \(line.inCommandTerms.onOneLine)") }
    Foundation.exit(code)
  }

  /// The exit code for an error of the library.
  private static func code(for code: MemoryError.Code) -> Int32 {
    switch code {
    case .notFound: 1
    case .invalid, .conflict, .dimensionMismatch, .limitExceeded: 2
    default: 3
    }
  }

  /// The argument parser's message, and the command that shows help.
  private static func usage(_ error: any Error) -> String {
    let message = EpisodicCommand.message(for: error)
    let names = EpisodicCommand.configuration.subcommands.map { $0._commandName }
    let subcommand = CommandLine.arguments.dropFirst().first { names.contains($0) }
    return "\(message); see episodic \(subcommand.map { "\($0) " } ?? "")--help"
  }
}
