import ArgumentParser
import Episodic

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Exports every episode, one JSON object a line, in the order of recording.",
    discussion: """
      Lossless: an import of the result gives the same episodes, listed in the same order. Characters that a terminal \
      acts on or does not show are written as \\uXXXX. A file gets its name only when it is complete. Vectors and \
      patterns are not included.

      EXAMPLES:
        episodic export --output episodes.jsonl
        episodic export --output episodes.jsonl --json | jq .episodes
        episodic export | jq -r 'select(.status == "failed") | .context'
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("File to write; - is standard output.", valueName: "file"))
  var output = "-"

  @Flag(help: "Print what was written to --output as one JSON object.")
  var json = false

  func validate() throws {
    try NonUTF8Arguments.refuse(output, as: "--output")
    guard !json || output != "-" else {
      throw ValidationError("--json reports on a file, and standard output has the episodes; give --output FILE")
    }
  }

  func run() async throws {
    let count = try await store.withMemory(printing: output == "-" || json) { memory in
      defer { StandardError.endProgress() }
      return try await memory.exportEpisodes(to: OutputFile(argument: output)) { count in
        // On a terminal that shows the episodes themselves it would be between them.
        if output != "-" || !StandardOutput.isTerminal {
          StandardError.progress("exported \(counted(count, "episode"))")
        }
      }
    }
    if json { StandardOutput.write(["episodes": .integer(Int64(count)), "output": .string(output)]) }
  }
}
