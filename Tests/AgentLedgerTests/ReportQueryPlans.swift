@testable import AgentLedger

extension `Query plans of the ledger` {
  static let reportQueries: [Query] =
    [
      Query(
        "tasks of a category", TaskReportQuery.ofCategory,
        "USING COVERING INDEX tasks_by_category (category=? AND completed_at>? AND completed_at<?)"),
      Query("the next category", TaskReportQuery.nextCategory, "USING COVERING INDEX tasks_by_category (category>?)"),
      Query(
        "tasks that ended on a day", TaskReportQuery.ended, "USING COVERING INDEX tasks_by_end (completed_at>? AND"),
      Query(
        "tasks that were added on a day", TaskReportQuery.added,
        "USING COVERING INDEX tasks_by_status (status=? AND created_at>?"),
      Query("depth and age of the queue", TaskReportQuery.ready, "USING INDEX tasks_next"),
      Query("depth of what waits", TaskReportQuery.delayed, "USING INDEX tasks_delayed"),
      Query("depth of what is worked on", TaskReportQuery.inProgress, "INDEX tasks_leased"),
      Query("error rates by type", ErrorReportQuery.byType, "USING COVERING INDEX events_errors (created_at>? AND"),
      Query("error rates by person", ErrorReportQuery.byPerson, "USING COVERING INDEX events_errors (created_at>? AND"),
      Query("cost by model", CostQuery.byModel, "USING COVERING INDEX prompts_by_creation (created_at>? AND"),
      Query("cost by day", CostQuery.prompts, "USING COVERING INDEX prompts_by_creation (created_at>? AND"),
      Query("cost of tool calls", CostQuery.toolCalls, "USING COVERING INDEX tool_calls_by_cost (created_at>? AND"),
      Query("cost by agent", CostQuery.byAgent, "USING INDEX runs_by_start (started_at>? AND"),
      Query("cost by session", CostQuery.bySession, "USING INDEX runs_by_start (started_at>? AND"),
      Query("cost by domain", CostQuery.byDomain, "USING INDEX runs_by_start (started_at>? AND"),
      Query("hit rate of pages", StoreReportQuery.pageHours, "USING PRIMARY KEY (hour>? AND hour<?)"),
    ] + Ledger.Orphans.Kind.allCases.map { Query("orphans: \($0)", $0.counting, orphanPlans[$0] ?? "") }

  static let orphanPlans: [Ledger.Orphans.Kind: String] = [
    .expiredLeases: "INDEX tasks_leased (lease_until<?)",
    .tasksWithoutWorker: "INDEX tasks_of_worker",
    .workersWithoutTask: "INDEX workers_by_task",
    .silentRuns: "INDEX runs_living (last_heartbeat<?)",
    .runsOfEndedTasks: "INDEX runs_living",
    .promptsOfEndedRuns: "INDEX prompts_open",
    .noticesWithoutMessage: "INDEX notices_pending",
    .emptySeries: "USING PRIMARY KEY (series=?)",
  ]
}
