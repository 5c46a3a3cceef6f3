import ArgumentParser
import Episodic
import Foundation

struct LedgerStats: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Shows how the queue stands, how tasks went, and what was spent.",
    discussion: """
      Errors and pages are those of 24 hours, tasks by day of 7 days, tasks by category and cost of 30 days; with --since all
      of them are of one time. Runs cost from when they began, prompts from when they were made.

      EXAMPLES:
        episodic ledger stats
        episodic ledger stats --since 7d --zone Europe/Berlin
        episodic ledger stats --json | jq '.queue[] | select(.ready > 0)'
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("How far back: 24h, 7d, 2w.", valueName: "time"), transform: DurationText.parse)
  var since: Duration?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where days begin: Europe/Berlin, UTC, +02:00; by default this machine's zone.", valueName: "zone"),
    transform: ZoneText.parse)
  var zone: TimeZone?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let zone = zone ?? .current
    let figures = try await store.withLedger { ledger in try await LedgerFigures(ledger, over: since, in: zone) }
    if output.json { return StandardOutput.write(try JSON(ledger: figures)) }
    StandardOutput.write(LedgerFiguresText(figures: figures, zone: zone, width: StandardOutput.width).text)
  }
}
