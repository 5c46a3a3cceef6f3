@testable import AgentLedger

extension `Query plans of the ledger` {
  static let upkeepQueries: [Query] =
    RetentionRule.all.flatMap { rule in
      [
        Query("old \(rule.topic.rawValue)", numbered(rule.candidates), "USING \(covering[rule.table] ?? "")"),
        Query(
          "whether one of \(rule.topic.rawValue) goes", numbered(rule.test),
          "SEARCH \(rule.table) USING INTEGER PRIMARY KEY"),
        Query(
          "deletes one of \(rule.topic.rawValue)", numbered(rule.deletion),
          "SEARCH \(rule.table) USING INTEGER PRIMARY KEY"),
      ]
    } + [
      Query("expired logins", RetentionPass.expiredLogins, "USING COVERING INDEX logins_by_expiry (expires_at<?)"),
      Query("old samples", RetentionPass.oldSamples, "USING PRIMARY KEY (series=? AND at<?)"),
      Query("the least recently used pages", Ledger.leastUsedPages, "USING COVERING INDEX pages_by_use"),
      Query("changes after one", ChangeRow.after, "SEARCH c USING INTEGER PRIMARY KEY (rowid>?)"),
      Query("the oldest changes", ChangeRow.oldest, "USING INTEGER PRIMARY KEY (rowid<?)"),
    ]

  /// With one parameter for all that have a name.
  private static func numbered(_ sql: String) -> String { sql.replacing(/:[a-z]+/, with: "?1") }

  private static let covering = [
    "outbox": "COVERING INDEX outbox_delivered (delivered_at",
    "results": "COVERING INDEX results_by_creation (created_at",
    "tasks": "COVERING INDEX tasks_by_end (completed_at",
    "deliveries": "COVERING INDEX deliveries_by_creation (created_at",
    "notices": "COVERING INDEX notices_by_creation (created_at", "pages": "COVERING INDEX pages_by_expiry (expires_at",
    "events": "COVERING INDEX events_by_level (level=? AND created_at",
  ]
}
