import Foundation
import GRDB
import SQLiteStorage
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

/// One index per named query, and each query uses its own.
@Suite struct `Query plans of the ledger` {
  struct Query: CustomTestStringConvertible {
    let name: String
    let sql: String
    /// What its plan says of each table.
    let plan: [String]
    var testDescription: String { name }

    init(_ name: String, _ sql: String, _ plan: String...) { (self.name, self.sql, self.plan) = (name, sql, plan) }

    func check(in ledger: Ledger, _ state: String) async throws {
      let found = try await ledger.database.read { [sql] db in
        let count = try db.makeStatement(sql: sql).sqliteParameterCount
        return try Row.fetchAll(
          db, sql: "EXPLAIN QUERY PLAN \(sql)",
          arguments: StatementArguments(repeatElement(1, count: count).map { $0 as (any DatabaseValueConvertible)? })
        ).map { row in row["detail"] as String }
      }
      for part in plan { #expect(found.contains { $0.contains(part) }, "\(name), \(state): \(found)") }
      let scans = found.filter {
        $0.hasPrefix("SCAN ") && !$0.contains("INDEX") && !$0.contains("CONSTANT") && $0 != "SCAN t"
          && $0 != "SCAN tree"
          && !$0.hasPrefix("SCAN (") && !$0.contains("subquery")
      }
      #expect(scans.isEmpty, "\(name), \(state): \(found)")
    }
  }

  static let queries: [Query] =
    runQueries + promptQueries + eventQueries + peopleQueries + noticeQueries + alertQueries + reportQueries
    + taskQueries + outboxQueries + applicationQueries + upkeepQueries

  @Test(arguments: queries) func `a query uses its index, and scans no table`(_ query: Query) async throws {
    let ledger = try await Ledger.inMemory()
    try await query.check(in: ledger, "empty")
  }

  /// `EPISODIC_ROWS` is how many rows each large table has.
  @Test func `queries use their indexes in a ledger with many rows, before and after ANALYZE`() async throws {
    let rows = ProcessInfo.processInfo.environment["EPISODIC_ROWS"].flatMap { Int($0) } ?? 20_000
    let directory = try TemporaryDirectory()
    let now = Timestamp(milliseconds: 1_774_800_000_000)
    var options = Ledger.OpenOptions()
    (options.clock, options.survivesPowerLoss) = (ManualClock(now), false)
    let ledger = try await Ledger.open(at: directory.path, options: options)
    try await LedgerFiller(rows: rows, now: now).fill(ledger)
    for query in Self.queries { try await query.check(in: ledger, "\(rows) rows") }
    try await ledger.database.write { db, _ in try db.execute(sql: "ANALYZE") }
    try await ledger.close()
    // A connection reads the statistics when it is opened.
    let analysed = try await Ledger.open(at: directory.path, options: options)
    for query in Self.queries { try await query.check(in: analysed, "\(rows) rows after ANALYZE") }
    try await analysed.close()
  }

  static func runs(_ change: (inout Ledger.Run.Filter) -> Void) -> String {
    var filter = Ledger.Run.Filter()
    change(&filter)
    return RunRow.list(RunRow.conditions(filter))
  }

  static let runQueries: [Query] = [
    Query("runs", runs { _ in }, "USING INDEX runs_by_start"),
    Query("runs of a session", runs { $0.session = "s" }, "USING INDEX runs_by_session (session=?)"),
    Query("runs of a domain", runs { $0.domain = "d" }, "USING INDEX runs_by_domain (domain=?)"),
    Query("runs of an agent", runs { $0.agent = "a" }, "USING INDEX runs_by_agent (agent_id=?)"),
    Query("runs of a status", runs { $0.status = .failed }, "USING INDEX runs_by_status (status=?)"),
    Query("runs of a task", runs { $0.task = "t" }, "USING INDEX runs_by_task (task_id=?)"),
    Query("runs that a run started", runs { $0.parent = "t" }, "USING INDEX runs_by_parent (parent_id=?)"),
    Query("a run's tree", RunTree.runs, "SEARCH r USING INDEX runs_by_parent (parent_id=?)"),
    Query("all below a run", RunTree.members, "SEARCH r USING INDEX runs_by_parent (parent_id=?)"),
    Query("runs that are silent", RunEnding.abandoned, "USING INDEX runs_living (last_heartbeat<?)"),
    Query("what may be added to a run", RunProgress.ofRun, "USING COVERING INDEX prompts_by_run (run_id=?)"),
    Query("an agent by its name", AgentRow.byName, "USING INDEX sqlite_autoindex_agents_2 (name=?)"),
  ]

  static let promptQueries: [Query] = [
    Query("prompts of a run", PromptRow.ofRun, "USING INDEX prompts_by_run (run_id=? AND position>?)"),
    Query("tool calls of a run", ToolCallRow.ofRun, "USING INDEX tool_calls_by_run (run_id=? AND position>?)"),
    Query("tool calls of a prompt", ToolCallRow.ofPrompt, "USING INDEX tool_calls_by_prompt (prompt_id=?)"),
    Query(
      "prompts pending or failed", PromptRow.withStatus(behind: false), "USING INDEX prompts_unfinished (status=?)"),
    Query("a further page of them", PromptRow.withStatus(behind: true), "USING INDEX prompts_unfinished (status=?"),
    Query("the last part of a response", StreamingResponse.lastPart, "USING PRIMARY KEY (prompt=?)"),
    Query("the parts of a response", StreamingResponse.parts, "USING PRIMARY KEY (prompt=?)"),
    Query(
      "prompts that end with their run",
      "UPDATE prompts SET error = ?1 WHERE run_id = ?2 AND status IN ('pending', 'streaming')",
      "USING INDEX prompts_open (run_id=?)"),
  ]

  static func events(_ change: (inout Ledger.Event.Filter) -> Void) -> String {
    var filter = Ledger.Event.Filter()
    change(&filter)
    return EventRow.lists(filter, after: nil).map(EventRow.list)[0]
  }

  static func files(_ filter: Ledger.FileAccess.Filter) -> String {
    FileAccessRow.list(FileAccessRow.conditions(filter, after: nil))
  }

  static let eventQueries: [Query] = [
    Query("the latest events", events { _ in }, "USING INDEX events_by_creation"),
    Query("events of a run", events { $0.run = "r" }, "USING INDEX events_by_run (run_id=?)"),
    Query(
      "grave events of a run", events { ($0.run, $0.levels) = ("r", [.error, .critical]) },
      "USING INDEX events_by_run (run_id=?)"),
    Query("events of a level", events { $0.levels = [.error] }, "USING INDEX events_by_level (level=?)"),
    Query("events by error type", events { $0.errorType = .api }, "USING INDEX events_by_error_type (error_type=?)"),
    Query("events of a task", events { $0.task = "t" }, "USING INDEX events_by_task (task_id=?)"),
    Query("events of a person", events { $0.person = "p" }, "USING INDEX events_by_person (person_id=?)"),
    Query(
      "events of a level since a time", events { ($0.levels, $0.since) = ([.error], .init(milliseconds: 1)) },
      "USING INDEX events_by_level (level=? AND created_at>?)"),
    Query("samples over a window", SampleRow.overWindow, "USING PRIMARY KEY (series=? AND at>? AND at<?)"),
    Query("the latest samples", SampleRow.latest, "USING PRIMARY KEY (series=? AND at>? AND at<?)"),
    Query("series of a name", SampleRow.seriesOfName, "INDEX sqlite_autoindex_series_1 (name=?)"),
    Query("files by path", files(.init(path: "p")), "USING INDEX file_accesses_by_path (path=?)"),
    Query("files of a run", files(.init(run: "r")), "USING INDEX file_accesses_by_run (run_id=?)"),
    Query("files of a task", files(.init(task: "t")), "USING INDEX file_accesses_by_task (task_id=?)"),
  ]
}

extension Statement {
  /// How many parameters the text has: EXPLAIN needs a value for each.
  fileprivate var sqliteParameterCount: Int {
    (1...64).reversed().first { sql.contains("?\($0)") } ?? sql.count { $0 == "?" }
  }
}
