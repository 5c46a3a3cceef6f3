import CRawSQLite
import Episodic
import GRDB

/// Every report of a ledger whose large tables have a million rows each.
struct LedgerReportBenchmark {
  private static let calls = 7
  private static let day = Duration.seconds(86_400)

  /// Of each large table, spread over the year before now.
  let rows: Int
  let scratch: ScratchDirectory
  let progress: Progress

  func run(_ report: inout Report) async throws {
    let folder = scratch.path(of: "reports")
    try await Ledger.open(at: folder).close()
    try fill(folder + "/" + Ledger.fileName)
    let ledger = try await Ledger.open(at: folder)
    let byDefault = try await time(Self.reports, ledger, section: "reports, default windows", &report)
    _ = try await time(Self.reportsOfAll, ledger, section: "reports, windows of all rows", &report)
    try await ledger.close()
    report.ratios.append(
      Ratio("slowest report, p50 ms", section: "default windows", byDefault / 1e6, over: 1, target: .atMost(200)))
  }

  /// - Returns: The median of the slowest.
  private func time(
    _ reports: [(name: String, run: @Sendable (Ledger) async throws -> Int)], _ ledger: Ledger, section: String,
    _ report: inout Report
  ) async throws -> Double {
    var slowest = 0.0
    for (name, run) in reports {
      progress.show(name, 0, of: 1)
      var series = Series(name, "Ledger.\(name)")
      for _ in 0..<Self.calls {
        let before = raw_now()
        let elements = try await run(ledger)
        series.record(since: before)
        guard elements > 0 else { throw BenchError("the report \(name) is empty") }
      }
      slowest = max(slowest, series.p50)
      report.rows.append(Row(series, section: section))
    }
    return slowest
  }

  private static let reports: [(name: String, run: @Sendable (Ledger) async throws -> Int)] = [
    ("categoryReport()", { try await $0.categoryReport().count }), ("taskTrend()", { try await $0.taskTrend().count }),
    ("queueDepth()", { try await $0.queueDepth().count }), ("errorRates()", { try await $0.errorRates().count }),
    ("errorsByPerson()", { try await $0.errorsByPerson().count }),
    ("costs(by: .model)", { try await $0.costs(by: .model).count }),
    ("costs(by: .agent)", { try await $0.costs(by: .agent).count }),
    ("costs(by: .session)", { try await $0.costs(by: .session).count }),
    ("costs(by: .domain)", { try await $0.costs(by: .domain).count }),
    ("costTrend()", { try await $0.costTrend().count }), ("pageUse()", { try await $0.pageUse().pages }),
    ("tableSizes()", { try await $0.tableSizes().count }), ("orphans()", { try await $0.orphans().count }),
    ("growth()", { try await $0.growth().count }), ("topPeople()", { try await $0.topPeople().count }),
    ("selectorRates(in:)", { try await $0.selectorRates(in: "d1", since: .daysAgo(30)).count }),
  ]

  private static let reportsOfAll: [(name: String, run: @Sendable (Ledger) async throws -> Int)] = [
    ("categoryReport(over:)", { try await $0.categoryReport(over: day * 400).count }),
    ("errorRates(over:)", { try await $0.errorRates(over: day * 400).count }),
    ("costs(by: .model, over:)", { try await $0.costs(by: .model, over: day * 400).count }),
    ("costs(by: .agent, over:)", { try await $0.costs(by: .agent, over: day * 400).count }),
    ("costs(by: .session, over:)", { try await $0.costs(by: .session, over: day * 400).count }),
    ("costs(by: .domain, over:)", { try await $0.costs(by: .domain, over: day * 400).count }),
    ("costTrend(days: 366)", { try await $0.costTrend(days: 366).count }),
  ]

  /// By SQL into the file that the library made, while the library has it closed. Nothing need survive loss of power.
  private func fill(_ path: String) throws {
    let file = try DatabaseQueue(path: path)
    try file.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY")
      for (index, sql) in LedgerRows.statements.enumerated() {
        progress.show("filling the ledger", index, of: LedgerRows.statements.count)
        let statement = try db.makeStatement(sql: sql)
        try statement.execute(arguments: LedgerRows.arguments(of: sql, rows: rows, now: Timestamp.now.milliseconds))
      }
      try db.execute(sql: "ANALYZE")
    }
    try file.close()
  }
}

extension Timestamp {
  fileprivate static func daysAgo(_ count: Int64) -> Timestamp {
    Timestamp(milliseconds: now.milliseconds - count * 86_400_000)
  }
}
