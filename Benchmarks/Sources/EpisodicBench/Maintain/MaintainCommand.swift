import ArgumentParser

struct MaintainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maintain",
    abstract: "The longest wait of a writer while a large store is maintained, and its size before and after.",
    discussion: """
      Fills a store whose episodes are spread over 400 days, and appends steps to other episodes one by one, by two writers: \
      one in the memory that maintains, one with a connection and locks of its own, as another process has. First for some \
      seconds without maintenance, then while retention deletes half of the store and everything else that is due is done.

      Target: no append waits longer than 100 ms beside maintenance.

      EXAMPLE
        bench maintain --steps 1000000 --seconds 30
      """)

  @Option(help: "Steps in the store, 20 an episode.")
  var steps = 1_000_000

  @Option(help: "Seconds of writing without maintenance.")
  var seconds = 10

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [("--steps", steps), ("--seconds", seconds)])
  }

  func run() async throws {
    try await common.report { scratch in
      try await MaintainBenchmark(steps: steps, seconds: seconds, seed: common.seed, scratch: scratch).run()
    }
  }
}
