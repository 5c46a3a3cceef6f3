import GRDB
import SQLiteStorage
import StoreRows

/// What is looked at in one snapshot.
struct LedgerCheck {
  private let db: Database
  private let stored: any StoredDatabase

  init(_ db: Database, _ stored: any StoredDatabase) { (self.db, self.stored) = (db, stored) }

  func outcome(of subject: Ledger.Check.Subject) throws -> Ledger.Check.Outcome {
    switch subject {
    case .integrity: try integrity()
    case .schema: try schema()
    case .rules: try rules()
    case .owners:
      try DatabaseIntegrity.strays(db).map {
        .failed("\($0): another program wrote or deleted them; delete them, or restore a backup")
      } ?? .passed
    case .costs, .tasks, .outbox, .runs, .pages, .changes: try first(Self.faults[subject] ?? [])
    }
  }

  private func integrity() throws -> Ledger.Check.Outcome {
    let problems = try DatabaseIntegrity.problems(db)
    guard let problem = problems.first else { return .passed }
    return .damaged("\(stored.path) is damaged: \(problem); restore a backup")
  }

  private func schema() throws -> Ledger.Check.Outcome {
    let (problems, lostIndexes) = try stored.inspectSchema(db)
    if let problem = problems.first { return .failed(problem) }
    guard let index = lostIndexes.first else { return .passed }
    return .failed("the index \(index) is missing: another program dropped it; open the ledger again, which makes it")
  }

  private func rules() throws -> Ledger.Check.Outcome {
    let problems = try String.fetchAll(db, sql: "PRAGMA integrity_check(5)").filter {
      $0.hasPrefix("CHECK constraint failed")
    }
    guard let problem = problems.first else { return .passed }
    return .failed(
      "\(problem): another program wrote a value that the table forbids; correct it, or restore a backup")
  }

  /// The first fault of which there is a row.
  private func first(_ faults: [Fault]) throws -> Ledger.Check.Outcome {
    for fault in faults {
      let rows = try String.fetchAll(db, sql: "\(fault.sql) LIMIT 6")
      guard !rows.isEmpty else { continue }
      let named = rows.prefix(5).map { "\"\($0.shortened(to: 60))\"" }.joined(separator: ", ")
      return .failed("\(fault.what): \(named)\(rows.count > 5 ? " and others" : ""); \(fault.remedy)")
    }
    return .passed
  }
}

extension LedgerCheck {
  /// Rows that should not be, named by a query.
  struct Fault: Sendable {
    let what: String
    let sql: String
    let remedy: String

    init(_ what: String, _ sql: String, _ remedy: String) { (self.what, self.sql, self.remedy) = (what, sql, remedy) }
  }

  private static let restore = "another program wrote it; restore a backup"

  static let faults: [Ledger.Check.Subject: [Fault]] = [
    .costs: [
      Fault(
        "the cost of a run is not that of its prompts and tool calls",
        """
        SELECT id FROM runs WHERE cost <> (SELECT coalesce(sum(cost), 0) FROM prompts WHERE run_id = runs.id)
            + (SELECT coalesce(sum(cost), 0) FROM tool_calls WHERE run_id = runs.id)
        """, "set it to their sum, or restore a backup")
    ],
    .tasks: [
      Fault(
        "a task that nobody has is being cancelled",
        "SELECT id FROM tasks WHERE is_cancelling = 1 AND status <> 'in_progress'", "set is_cancelling to 0"),
      Fault(
        "a task in progress is of a worker that is not registered",
        """
        SELECT id FROM tasks WHERE status = 'in_progress'
            AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = tasks.worker_id)
        """, "register the worker, or let the lease run out and run maintain"),
      Fault(
        "a worker names a task that it does not have",
        """
        SELECT w.id FROM workers w JOIN tasks t ON t.id = w.current_task
        WHERE t.status <> 'in_progress' OR t.worker_id IS NOT w.id
        """, "register the worker again"),
      Fault(
        "a task is archived and living",
        "SELECT t.id FROM tasks t JOIN tasks_archive a ON a.id = t.id "
          + "WHERE t.created_at = a.created_at", "delete one of the two"),
    ],
    .outbox: [
      Fault(
        "two messages of a key have their turn at once",
        """
        SELECT key FROM outbox WHERE delivered_at IS NULL AND dead_at IS NULL AND status <> 'queued'
        GROUP BY key HAVING count(*) > 1
        """, "set all but the first to queued"),
      Fault(
        "no message of a key has its turn",
        """
        SELECT key FROM outbox WHERE delivered_at IS NULL AND dead_at IS NULL
        GROUP BY key HAVING sum(status <> 'queued') = 0
        """, "set the first to ready"),
      Fault(
        "a message is delivered and given up",
        "SELECT id FROM outbox WHERE delivered_at IS NOT NULL AND dead_at IS NOT NULL", restore),
      Fault(
        "a notice that waits has no message",
        """
        SELECT id FROM notices WHERE status = 'pending' AND NOT EXISTS (
            SELECT 1 FROM outbox WHERE key = notices.id AND delivered_at IS NULL AND dead_at IS NULL)
        """, "notify the person again, and delete it"),
    ],
    .runs: [
      Fault(
        "a run has ended, and a prompt of it waits for a response",
        """
        SELECT p.id FROM prompts p JOIN runs r ON r.id = p.run_id
        WHERE p.status IN ('pending', 'streaming') AND r.completed_at IS NOT NULL
        """, "finish the prompt as cancelled"),
      Fault(
        "a response has ended, and its parts are not joined",
        """
        SELECT DISTINCT p.id FROM response_parts x JOIN prompts p ON p.seq = x.prompt WHERE p.completed_at IS NOT NULL
        """, restore),
      Fault(
        "a run that goes on is an episode already",
        "SELECT id FROM runs WHERE episode_id IS NOT NULL AND completed_at IS NULL", "set episode_id to NULL"),
      Fault(
        "a run is its own ancestor",
        """
        WITH RECURSIVE up (id, parent, depth) AS (
            SELECT id, parent_id, 1 FROM runs WHERE parent_id IS NOT NULL
            UNION ALL SELECT up.id, r.parent_id, depth + 1 FROM up JOIN runs r ON r.id = up.parent
            WHERE r.parent_id IS NOT NULL AND depth < 1000)
        SELECT DISTINCT id FROM up WHERE parent = id
        """, "set its parent_id to NULL"),
    ],
    .pages: [
      Fault(
        "the bytes of all pages are counted wrong",
        "SELECT bytes || ' bytes' FROM page_bytes WHERE bytes <> (SELECT coalesce(sum(size), 0) FROM pages)",
        "set page_bytes to the sum of their sizes")
    ],
    .changes: [
      Fault(
        "the feed has a change beyond its last revision",
        "SELECT revision FROM changes WHERE revision > (SELECT seq FROM sqlite_sequence WHERE name = 'changes')",
        restore)
    ],
  ]
}
