import ArgumentParser
import Episodic

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Exports every episode, one JSON object a line, in the order of recording.",
    discussion: """
      Lossless: an import of the result gives the same episodes, listed in the same order. Characters that a terminal \
      acts on or does not show are written as \\uXXXX. A file gets its name only when it is complete. Vectors and \
      patterns are not included.

      EXAMPLES:
        episodic export --output backup.jsonl
        episodic export | jq -r 'select(.status == "failed") | .context'
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("File to write; - is standard output.", valueName: "file"))
  var output = "-"

  func validate() throws { try NonUTF8Arguments.refuse(output, as: "--output") }

  func run() async throws {
    _ = try await store.withMemory(printing: output == "-") { memory in
      try await memory.exportEpisodes(to: OutputFile(argument: output))
    }
  }
}
