import ArgumentParser
import Foundation

struct LogsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "Time and memory of an import of a year of logs of coding agents.",
    discussion: """
      Writes logs of Claude Code and Codex, imports them with the command that is built beside this program, in a process of its \
      own, and imports them once more, which changes nothing. Resident memory is the peak of the process (VmHWM); of it the \
      part that it allocated is shown (RssAnon), and the rest are pages of mapped files. Beside it, in the same run: Python's \
      json.loads of each line, and reading the bytes.

      Target: 1,000 MB at 50 MB/s and within 100 MB resident.

      EXAMPLE
        bench logs --megabytes 1000
      """)

  @Option(help: "Size of all logs, in MB.")
  var megabytes = 1000

  @Option(help: "The command, if not the one beside this program.")
  var episodic: String?

  @Option(help: "The interpreter of Python.")
  var python = "python3"

  @OptionGroup var common: CommonOptions

  func validate() throws { try CommonOptions.validate(counts: [("--megabytes", megabytes)]) }

  func run() async throws {
    try await common.report { scratch in
      try LogsBenchmark(
        megabytes: megabytes, program: try BuiltProgram.episodic(episodic), python: python, seed: common.seed,
        scratch: scratch
      ).run()
    }
  }
}
