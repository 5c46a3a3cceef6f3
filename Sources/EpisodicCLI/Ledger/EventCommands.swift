import ArgumentParser
import Episodic

struct LedgerEvents: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Lists what happened, newest first.",
    discussion: """
      EXAMPLES:
        episodic ledger events --level error
        episodic ledger events --run 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(
    help: ArgumentHelp("Only of this level or above: debug, info, warning, error, critical.", valueName: "level"),
    transform: ClosedName.parse)
  var level: Ledger.Event.Level?

  @Option(help: ArgumentHelp("Only of this run.", valueName: "id"))
  var run: String?

  @Option(help: ArgumentHelp("Only errors of this type, such as timeout.", valueName: "type"))
  var errorType: String?

  @Option(help: ArgumentHelp("Events to list, 1 to 1000.", valueName: "n"))
  var limit = 20

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    var filter = Ledger.Event.Filter()
    if let level { filter.levels = level.andAbove }
    filter.run = run.map { Ledger.Run.ID($0) }
    filter.errorType = errorType.map(Ledger.Event.ErrorType.init(rawValue:))
    let events = try await store.withLedger { [filter] ledger in try await ledger.events(filter, limit: limit) }
    try LedgerList.write(
      events, as: "events", output, empty: "no events",
      [
        .init("TIME"), .init("LEVEL"), .init("KIND", rank: 2), .init("COMPONENT", rank: 3), .init("RUN", rank: 4),
        .init("MESSAGE", isText: true),
      ]
    ) { event in
      [
        .init(times.format.inTable(event.createdAt)), .init(event.level.rawValue), .init(event.kind.rawValue),
        .init(event.component.rawValue), .init(event.run?.rawValue ?? ""), .init(event.message),
      ]
    }
  }
}
