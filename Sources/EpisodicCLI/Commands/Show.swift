import ArgumentParser
import Episodic

struct Show: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows an episode with its steps.",
    discussion: """
      With --json, the episode is printed as export writes it. Exits 1 if there is no such episode.

      EXAMPLES:
        episodic show 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
        episodic show @last
        episodic show build-17 --json | jq '.steps[-1].result'
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp(stringLiteral: EpisodeReference.help).named("id"))
  var id: String

  @Option(help: ArgumentHelp("Look for the episode in this domain only.", valueName: "domain"))
  var domain: String?

  @Option(help: StepsOption.help)
  var steps = StepsOption.all

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let episode = try await store.withMemory { memory in
      let id = try await EpisodeReference.resolve(id, in: domain, memory)
      guard let episode = try await memory.episode(id, steps: output.json ? steps.selection : .all) else {
        throw MemoryError(.notFound, "no episode \"\(self.id)\"; list shows the ones there are")
      }
      return episode
    }
    if output.json {
      StandardOutput.write(episode.json)
    } else {
      StandardOutput.write(episode.lines(times.format).joined(separator: "\n"))
    }
  }
}

extension ArgumentHelp {
  /// The same text for a value of that name.
  func named(_ name: String) -> ArgumentHelp {
    var help = self
    help.valueName = name
    return help
  }
}
