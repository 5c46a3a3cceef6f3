import ArgumentParser

struct LedgerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger",
    abstract: "Tasks claimed and rows appended, beside raw SQLite in C and a queue in Python; the time of each report.",
    discussion: """
      Raw SQLite claims from a file created by the library: same schema, triggers, indexes, pragmas, and the same rule for \
      checkpoints. It runs one prepared UPDATE ... RETURNING a transaction, without the rest of the library's work: taking \
      back leases, waking tasks that waited, the worker's row, group commit. The sides alternate every 16 claims. litequeue \
      of PyPI pops from its own file, in a process of its own, if --python names an interpreter that has it.

      Then prompts, tool calls and events are appended, 1,000 a commit; and tool calls one by one, beside the same INSERT in C. \
      At last every report is asked of a ledger whose large tables have a million rows each, spread over a year: with the \
      window that it has by default, and with one of all rows.

      Targets: claims at .5 of the bare rate or more, and at 3 times the rate of litequeue or more; 20,000 rows per second in \
      batches; 1.5 times the raw commit for one that survives loss of power; 200 ms for a report by default.

      EXAMPLES
        bench ledger --tasks 20000 --python venv/bin/python
        bench ledger --claims 1000 --report-rows 0
      """)

  @Option(help: "Tasks in the queue of each side.")
  var tasks = 20_000

  @Option(help: "Claims measured for each durability, at most as many as there are tasks.")
  var claims = 4000

  @Option(help: "Prompts, tool calls and events that are appended in batches, for each durability.")
  var rows = 50_000

  @Option(help: "Rows of each large table under the reports; 0 for no reports.")
  var reportRows = 1_000_000

  @Option(help: "A Python interpreter with the package litequeue.")
  var python = "python3"

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [("--tasks", tasks), ("--claims", claims), ("--rows", rows)])
    guard (0...1_000_000).contains(reportRows) else {
      throw ValidationError("--report-rows is \(reportRows); it must be in 0...1000000")
    }
  }

  func run() async throws {
    try await common.report { scratch in
      try await LedgerBenchmark(
        tasks: tasks, claims: min(claims, tasks), rows: rows, reportRows: reportRows, python: python, scratch: scratch
      ).run()
    }
  }
}
