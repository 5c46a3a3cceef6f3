import ArgumentParser
import Episodic
import Foundation
import Logging

/// The command `episodic`: what it says and how it ends; each subcommand is a file in Commands/.
@main
struct EpisodicCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "episodic",
    abstract: "Records what an agent did, keeps what worked, and recalls the right past attempt.",
    discussion: """
      A store is a directory: --store DIR, else the environment variable EPISODIC_STORE, else ./.episodic. The \
      commands import and record make it where there is none.

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

  /// Replaces the library's `main`, which would end bad usage with 64.
  static func main() async {
    OutputDrain.runIfAsked()
    _ = ProcessStart.state
    // `episodic export | head` ends as quietly as any filter; `record`, which has to outlive its reader, changes this.
    signal(SIGPIPE, SIG_DFL)
    LoggingSystem.bootstrap(StandardErrorLog.init)
    do {
      try DescriptorRoom.require()
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      Ending(of: error).exit()
    }
  }
}
