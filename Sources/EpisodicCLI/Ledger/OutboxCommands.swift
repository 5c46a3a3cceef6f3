import ArgumentParser
import Episodic

struct LedgerOutbox: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "outbox", abstract: "Shows what is to be delivered, and puts dead letters back.",
    discussion: """
      A program that links the library delivers, to a sink of its own; see Ledger.deliver.

      EXAMPLES:
        episodic ledger outbox list
        episodic ledger outbox list --dead
        episodic ledger outbox retry 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """,
    subcommands: [OutboxList.self, OutboxRetry.self])
}

struct OutboxList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists messages that are not delivered, oldest first.",
    discussion: """
      EXAMPLES:
        episodic ledger outbox list --limit 100
        episodic ledger outbox list --dead --json
      """)

  @OptionGroup var store: StoreOptions

  @Flag(help: "Those that were given up.")
  var dead = false

  @Option(help: ArgumentHelp("Continue after this message, the last of a previous list.", valueName: "id"))
  var afterMessage: String?

  @Option(help: ArgumentHelp("Messages to list, 1 to 1000.", valueName: "n"))
  var limit = 20

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let last = afterMessage.map { Ledger.OutboxMessage.ID($0) }
    let messages = try await store.withLedger { ledger in
      dead
        ? try await ledger.deadLetters(after: last, limit: limit)
        : try await ledger.undelivered(after: last, limit: limit)
    }
    try LedgerList.write(
      messages, as: "messages", output, empty: dead ? "no dead letters" : "everything is delivered",
      [
        .init("MESSAGE"), .init("KIND"), .init("KEY", isText: true), .init("TRIES", isNumber: true, rank: 2),
        .init("WRITTEN", rank: 3), .init("ERROR", isText: true, rank: 1),
      ]
    ) { message in
      [
        .init(message.id.rawValue), .init(message.kind.rawValue), .init(message.key), .init("\(message.attempts)"),
        .init(times.format.inTable(message.createdAt)), .init(message.error ?? ""),
      ]
    }
  }
}

struct OutboxRetry: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Puts a dead letter back, to be delivered again.",
    discussion: """
      EXAMPLES:
        episodic ledger outbox retry 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The message's id.", valueName: "id"))
  var id: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let message = try await store.withLedger { ledger in try await ledger.retry(Ledger.OutboxMessage.ID(id)) }
    try LedgerList.write(message, output, "\(message.id): put back")
  }
}
