import ArgumentParser

struct ReadsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reads",
    abstract: "Reads of the same episodes through the cache, past it, and by raw SQLite in C.",
    discussion: """
      Every episode is read once in random order while the cache is empty (a miss and its fill), then all of them in \
      the same order again (hits), in turns with the same reads past the cache and by raw SQLite, which runs two \
      queries in one read transaction. Each read visits every field and sums it up; the sums must be equal. The \
      cache's own counts show that hits were hits. Then questions by words, new to the cache and known to it.

      Asked: a hit takes at most a quarter of the same read from the primary.

      EXAMPLE
        bench reads --episodes 10000 --steps 20
      """)

  @Option(help: "Episodes in the store; each is read.")
  var episodes = 10_000

  @Option(help: "Steps of an episode; 20 make about 4 KB.")
  var steps = 20

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [("--episodes", episodes), ("--steps", steps)])
  }

  func run() async throws {
    try await common.report { scratch in
      try await ReadsBenchmark(episodes: episodes, steps: steps, seed: common.seed, scratch: scratch).run()
    }
  }
}
