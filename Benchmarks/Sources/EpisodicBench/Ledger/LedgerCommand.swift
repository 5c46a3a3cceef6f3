import ArgumentParser

struct LedgerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger",
    abstract: "Tasks claimed per second, beside a bare UPDATE ... RETURNING in C and a queue in Python.",
    discussion: """
      Raw SQLite claims from a file created by the library: same schema, triggers, indexes, pragmas, and the same rule for \
      checkpoints. It runs one prepared UPDATE ... RETURNING a transaction, without the rest of the library's work: taking \
      back leases, waking tasks that waited, the worker's row, group commit. The sides alternate every 16 claims. litequeue \
      of PyPI pops from its own file, in a process of its own, if --python names an interpreter that has it.

      Targets: claims at .5 of the bare rate or more, and at 3 times the rate of litequeue or more.

      EXAMPLE
        bench ledger --tasks 20000 --python venv/bin/python
      """)

  @Option(help: "Tasks in the queue of each side.")
  var tasks = 20_000

  @Option(help: "Claims measured for each durability, at most as many as there are tasks.")
  var claims = 4000

  @Option(help: "A Python interpreter with the package litequeue.")
  var python = "python3"

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [("--tasks", tasks), ("--claims", claims)])
  }

  func run() async throws {
    try await common.report { scratch in
      try await LedgerBenchmark(
        tasks: tasks, claims: min(claims, tasks), python: python, seed: common.seed, scratch: scratch
      ).run()
    }
  }
}
