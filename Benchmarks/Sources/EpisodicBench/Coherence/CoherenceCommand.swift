import ArgumentParser

struct CoherenceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coherence",
    abstract: "Looks for a read that is older than the last commit, under writers and SIGKILL.",
    discussion: """
      Processes share a store of 200 episodes. About a third of them write: through the library, and, as one of them, \
      the sqlite3 shell, of which no cache hears anything. What they write are counters that only grow: in contexts, in \
      metadata, in the number of steps, in the uses of patterns; and episodes that come and go. The others read: \
      they learn by plain SQLite, on a connection of its own, what is committed, then read through the cache, and what \
      they get must be no older: episodes, patterns, episodes that come and go, and recalls by the newest word. \
      Writers read back what they wrote.

      With --kills, one of the processes is killed with SIGKILL every 50 ms, wherever it is, and a new one takes its \
      place. What the killed have counted is kept. At the end the store is checked. A violation, a process that ends \
      by itself or a check that fails make the exit status 1.

      EXAMPLES
        bench coherence --processes 6 --seconds 300 --kills
        bench coherence --seconds 5 --kills --json
      """)

  @Option(help: "Processes that read and write.")
  var processes = 6

  @Option(help: "How long they do.")
  var seconds = 10

  @Flag(help: "Kill one of them every 50 ms.")
  var kills = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (2...64).contains(processes) else { throw ValidationError("--processes is \(processes); it lies in 2...64") }
    guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is \(seconds); it lies in 1...86400") }
  }

  func run() async throws {
    try await common.report { scratch in
      try await CoherenceBenchmark(processes: processes, seconds: seconds, kills: kills, scratch: scratch).run()
    }
  }
}
