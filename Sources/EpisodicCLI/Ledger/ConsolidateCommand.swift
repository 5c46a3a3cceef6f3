import ArgumentParser
import Episodic

struct LedgerConsolidate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consolidate", abstract: "Makes an episode of each finished run.",
    discussion: """
      A run becomes one episode, once, which has the run's id; one that is deleted afterwards does not come back. Exits with 1 \
      if a run cannot become an episode.

      EXAMPLES:
        episodic ledger consolidate
        episodic ledger consolidate --json
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let report = try await store.withMemory(creating: true) { memory in
      try await store.withLedger { ledger in try await memory.consolidate(ledger) }
    }
    if output.json {
      StandardOutput.write([
        "episodes": .array(report.episodes.map { .string($0.rawValue) }), "known": JSON(report.known),
        "erased": JSON(report.erased), "patterns": JSON(report.patterns),
        "failures": .array(
          report.failures.map { ["run": .string($0.run.rawValue), "reason": .string($0.reason)] }),
      ])
    } else {
      StandardOutput.write(
        "\(report.episodes.count) \(report.episodes.count == 1 ? "run is an episode" : "runs are episodes") now")
      for failure in report.failures { StandardError.write("\(failure.run): \(failure.reason)".onOneLine) }
    }
    if !report.failures.isEmpty { throw ExitCode(1) }
  }
}
