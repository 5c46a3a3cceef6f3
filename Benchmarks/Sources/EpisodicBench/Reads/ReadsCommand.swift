import ArgumentParser

struct ReadsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reads",
    abstract: "Reads of the same episodes through the cache, past it, and by the yardsticks beneath.",
    discussion: """
      Every episode is read once in random order while the cache is empty (a miss and its fill), then all of them in \
      the same order again, in turns of a hundred: a hit; the floor, which is LMDB's get and one copy of the bytes; the \
      primary through the library; raw SQLite through its C interface; and pool.read of GRDB. SQLite runs two queries \
      in one read transaction. A hit whose every field is then touched stands beside a codec that makes every value at \
      once. The sums over all fields must be equal, and the cache's own counts show that hits were hits. Then \
      questions by words, new to the cache, known to it, and past it.

      Asked: a hit takes at most 3 times the floor, raw C at least 10 and GRDB at least 20 times a hit; touching every \
      field at most 1.2 times the full decode; a search at least 50 times a known question.

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
