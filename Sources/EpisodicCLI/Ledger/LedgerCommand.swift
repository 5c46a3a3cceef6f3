import ArgumentParser
import Episodic

struct LedgerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger",
    abstract: "Keeps what a runtime is doing now: tasks, runs, messages to deliver.",
    discussion: """
      The ledger is ledger.sqlite in the directory of the store. Finished runs become episodes of the memory beside it.

      EXAMPLES:
        episodic ledger worker add w1
        episodic ledger task add visit --domain web --params '{"url": "https://example.org"}'
        id=$(episodic ledger task claim w1 --json | jq -r '.tasks[0].id')
        episodic ledger task done "$id" --worker w1 --data '{"title": "Example"}'
      """,
    subcommands: [
      LedgerTask.self, LedgerWorkerCommand.self, LedgerAgentCommand.self, LedgerRun.self, LedgerConsolidate.self,
      LedgerOutbox.self, LedgerEvents.self, LedgerPageCommand.self, LedgerStateCommand.self, LedgerPerson.self,
      LedgerNotice.self, LedgerAlert.self, LedgerRetention.self, LedgerStats.self,
    ])
}
