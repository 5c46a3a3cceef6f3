import CRawSQLite
import Episodic

/// Claims the same tasks through the library and through raw SQLite, alternately; then appends, and reports.
struct LedgerBenchmark {
  /// Consecutive claims of one side.
  private static let turn = 16
  private static let warmUp = 4 * turn
  /// Of a batch, and of claimers that share commits.
  private static let many = 16

  let tasks: Int
  let claims: Int
  /// Rows of each kind that are appended in batches.
  let rows: Int
  /// Rows of each large table under the reports.
  let reportRows: Int
  let python: String
  let scratch: ScratchDirectory
  private let progress = Progress()

  init(tasks: Int, claims: Int, rows: Int, reportRows: Int, python: String, scratch: ScratchDirectory) {
    (self.tasks, self.claims, self.rows, self.reportRows) = (tasks, claims, rows, reportRows)
    (self.python, self.scratch) = (python, scratch)
  }

  /// On the global executor, so that no hop from the main thread is measured.
  @concurrent
  func run() async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    var report = Report(
      benchmark: "ledger", parameters: ["tasks": tasks, "claims": claims, "rows": rows, "report-rows": reportRows],
      machine: Machine(durability: "per section", sync: probe.series))
    var unsynced: Double = 0
    for survivesPowerLoss in [true, false] {
      let rate = try await claims(survivesPowerLoss, probe, &report)
      if !survivesPowerLoss { unsynced = rate }
    }
    try queue(unsynced, &report)
    try await LedgerAppendBenchmark(rows: rows, calls: claims, scratch: scratch, progress: progress).run(probe, &report)
    if reportRows > 0 {
      try await LedgerReportBenchmark(rows: reportRows, scratch: scratch, progress: progress).run(&report)
    }
    progress.clear()
    return Report(
      benchmark: report.benchmark, parameters: report.parameters,
      machine: Machine(durability: "per section", sync: probe.series), rows: report.rows, figures: report.figures,
      ratios: report.ratios, notes: report.notes)
  }

  // MARK: Stages

  /// One task a transaction, in turns; then several at once, and claimers at once.
  ///
  /// - Returns: Claims a second of the library, one by one.
  private func claims(_ survivesPowerLoss: Bool, _ probe: SyncProbe, _ report: inout Report) async throws -> Double {
    let section = survivesPowerLoss ? "full" : "normal"
    let folder = scratch.path(of: section)
    let ledger = try await filled(folder + "-library", survivesPowerLoss)
    try await filled(folder + "-raw", survivesPowerLoss).close()
    let raw = try RawLedger(in: folder + "-raw", survivesPowerLoss: survivesPowerLoss)
    let worker = try await ledger.register(worker: "bench", kind: "bench").id

    var library = Series("claim", "Ledger.claim of one task: a commit each")
    var bare = Series("raw claim", "one prepared UPDATE ... RETURNING in C, a commit each")
    for start in stride(from: 0, to: Self.warmUp + claims, by: Self.turn) {
      let isMeasured = start >= Self.warmUp
      progress.show("claims, \(section)", start, of: Self.warmUp + claims)
      for _ in 0..<Self.turn {
        let before = raw_now()
        let claimed = try await ledger.claim(by: worker, lease: .seconds(3600))
        if isMeasured { library.record(since: before) }
        guard claimed.count == 1 else { throw BenchError("a claim of the library found no task") }
      }
      for _ in 0..<Self.turn {
        let before = raw_now()
        let isClaimed = try raw.claim(at: Timestamp.now.milliseconds, lease: 3_600_000, worker: "bench")
        if isMeasured { bare.record(since: before) }
        guard isClaimed else { throw BenchError("a claim of raw SQLite found no task") }
      }
      try probe.sample()
    }
    var batched = Series("claim of \(Self.many)", "Ledger.claim of \(Self.many) tasks in one commit")
    for _ in 0..<max(1, claims / 10 / Self.many) {
      let before = raw_now()
      let claimed = try await ledger.claim(by: worker, count: Self.many, lease: .seconds(3600))
      batched.record(since: before, items: claimed.count)
    }
    try await ledger.close()
    for series in [library, bare, batched] { report.rows.append(Row(series, section: section)) }
    report.ratios.append(
      Ratio(
        "claims / bare claims, per second", section: section, library.itemsPerSecond, over: bare.itemsPerSecond,
        target: .atLeast(0.5)))
    return library.itemsPerSecond
  }

  /// litequeue does not sync its commits either.
  private func queue(_ rate: Double, _ report: inout Report) throws {
    progress.show("litequeue", 0, of: 1)
    let (result, note) = try PythonQueue(python: python, file: scratch.path(of: "litequeue.sqlite"))
      .run(tasks: tasks, claims: claims)
    if let note { report.notes.append(note) }
    guard let result, result.seconds > 0 else { return }
    let popped = Double(result.claims) / result.seconds
    report.figures.append(Figure("litequeue \(result.version), pops", popped, "per second"))
    report.ratios.append(
      Ratio("claims / pops of litequeue, per second", section: "normal", rate, over: popped, target: .atLeast(3)))
  }

  private func filled(_ folder: String, _ survivesPowerLoss: Bool) async throws -> Ledger {
    var options = Ledger.OpenOptions()
    options.survivesPowerLoss = survivesPowerLoss
    let ledger = try await Ledger.open(at: folder, options: options)
    let count = tasks + Self.warmUp + claims / 10 + Self.many
    for start in stride(from: 0, to: count, by: 10_000) {
      try await ledger.add(
        (start..<min(count, start + 10_000)).map { number in
          Ledger.Task.Draft(
            "visit", domain: "web", params: ["number": JSON(number), "url": "https://example.org/page/\(number)"])
        })
    }
    return ledger
  }
}

extension Timestamp {
  static var now: Timestamp { SystemClock().now() }
}
