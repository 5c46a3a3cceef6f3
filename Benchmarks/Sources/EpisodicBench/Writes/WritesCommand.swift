import ArgumentParser

struct WritesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "writes",
    abstract: "Steps written per second, one by one, batched and concurrently, beside raw SQLite in C.",
    discussion: """
      Raw SQLite writes the same rows into a file created by the library: same schema, triggers, indexes, pragmas, \
      and the same rule for checkpoints. It binds prepared buffers to prepared statements, one INSERT per row, in the \
      same transactions, without the rest of the library's work (validation, its lock file, status and number of a \
      step, group commit). The sides alternate every 16 calls. More stores write the same without an audit and \
      with one, and, if the benchmarks are built with the trait Encryption, with encryption and with both.

      Targets: a durable append takes at most 1.5 times a raw commit; a batched insert runs at 0.6 of the raw rate or \
      more; 16 appenders write 4 times as much as one; an audit takes at most 15 % more time than none.

      EXAMPLE
        bench writes --episodes 500 --steps 20
        swift run -c release --package-path Benchmarks --traits Encryption bench writes
      """)

  @Option(help: "Whole episodes to insert in batches, for each durability.")
  var episodes = 500

  @Option(help: "Steps per episode.")
  var steps = 20

  @Option(help: "Episodes per transaction in the batched rows.")
  var batch = 50

  @Option(help: "Commits measured one by one, at most; fewer if --episodes times --steps is less.")
  var commits = 2000

  @Flag(help: "Append beside automatic maintenance and without it, in turns, and nothing else.")
  var maintenance = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(
      counts: [("--episodes", episodes), ("--steps", steps), ("--batch", batch), ("--commits", commits)])
  }

  func run() async throws {
    try await common.report { scratch in
      if maintenance {
        let appends = max(1, commits / 20)
        return try await MaintenanceContest(
          benchmark: "writes", episodes: episodes, steps: steps, seed: common.seed, scratch: scratch
        ).run { memory, active, _, series in
          try await MaintenanceContest.appends(appends, to: active, memory, &series)
        }
      }
      return try await WritesBenchmark(
        episodes: episodes, steps: steps, batch: batch, commits: min(commits, episodes * steps), seed: common.seed,
        scratch: scratch
      ).run()
    }
  }
}
