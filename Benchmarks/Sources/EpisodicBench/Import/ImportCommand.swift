import ArgumentParser

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Memory and time of an import of many steps of mixed sizes, and of a rebuild.",
    discussion: """
      Writes a file of episodes, about 20 steps each: of the steps 90 % have 50 to 500 bytes, 1 in 1,000 has 20 to 200 KB, \
      and the rest up to 8 KB. Imports it as the command line would, then rebuilds everything derived. Resident memory is \
      the kernel's own peak (VmHWM), begun anew for each of the two; its parts are sampled: what the process has allocated \
      (RssAnon), and pages of mapped files (RssFile), which the system takes back when it needs them.

      Asked: 1,000,000 steps and a rebuild within 400 MiB resident.

      EXAMPLE
        bench import --steps 1000000
      """)

  @Option(help: "Steps over all episodes.")
  var steps: Int

  @Option(help: "Resident MiB that neither import nor rebuild may pass.")
  var limit = 400

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [("--steps", steps), ("--limit", limit)])
  }

  func run() async throws {
    try await common.report { scratch in
      try await ImportBenchmark(steps: steps, limitMiB: limit, seed: common.seed, scratch: scratch).run()
    }
  }
}
