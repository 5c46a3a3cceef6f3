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
      A store is a directory: --store DIR, before or after the command, else the environment variable EPISODIC_STORE, else \
      ./.episodic. The commands import, sync, record, begin, mcp, hook and pattern add create it if it does not \
      exist.

      An episode is named by its id, by a beginning of it that no other has, or as @last, @2 for the second newest.

      EXAMPLES:
        episodic record --task testing --domain web -- npm test
        episodic recall "connection refused" --domain web
        episodic show @last
        id=$(episodic begin --task debugging --domain web --context "login fails")
        episodic append "$id" --action "npm test" --failed && episodic fail "$id"

      EXIT CODES:
        0  done
        1  no such episode, nothing found, a check failed, or --keep-going left lines out
        2  bad usage or bad input; nothing was changed
        3  the store is unavailable, damaged, or no store
      """,
    version: Program.version,
    subcommands: [
      Record.self, Begin.self, Append.self, Complete.self, Fail.self, Archive.self, Reopen.self, Update.self,
      Delete.self, Embed.self,
      Recall.self, List.self, Show.self, Domains.self, Sessions.self, PatternCommand.self,
      LearnCommand.self, AdviseCommand.self, PatternsCommand.self,
      Import.self, SyncCommand.self, Export.self,
      Forget.self, Receipts.self, TrustCommand.self, QuarantineCommand.self, PromoteCommand.self,
      BackupCommand.self, BackupsCommand.self, VerifyCommand.self, RestoreCommand.self, Salvage.self,
      RetentionCommand.self, Maintain.self, AuditCommand.self, KeysCommand.self, LedgerCommand.self,
      Stats.self, Changes.self, Check.self, Doctor.self, Rebuild.self,
      MCPCommand.self, HookCommand.self, InstallCommand.self,
      Config.self, Manual.self,
    ])

  /// Taken from every place on the line: the options of a subcommand's own group get the values that are found here.
  @OptionGroup var store: StoreOptions

  /// Replaces the library's `main`, which exits with 64 on bad usage.
  static func main() async {
    OutputDrain.runIfRequested()
    _ = ProcessStart.state
    // `episodic export | head` ends silently like any filter; `record`, which must outlive its reader, changes this.
    signal(SIGPIPE, SIG_DFL)
    LoggingSystem.bootstrap(StandardErrorLog.init)
    do {
      try DescriptorLimit.require()
      let arguments = Array(CommandLine.arguments.dropFirst())
      var command = try parse(arguments)
      try RepeatedOptions.refuse(arguments, of: command)
      try NonUTF8Arguments.refuseAll()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      // To an agent another code than 0 says that it must not go on.
      let verb = VerbSuggestion.words(Array(CommandLine.arguments.dropFirst())).first
      ExitReport(error).exit(isQuiet: verb == HookCommand.configuration.commandName)
    }
  }

  private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    // A hook starts for each event of an agent, which waits for it: without the tree of all commands it starts 2 ms earlier. What is
    // wrong with its arguments is found again, and told, below.
    if arguments.first == HookCommand.configuration.commandName,
      let hook = try? HookCommand.parseAsRoot(EmptyValues.separated(Array(arguments.dropFirst()))) as? HookCommand
    {
      return hook
    }
    return try parseAsRoot(EmptyValues.separated(arguments))
  }
}
