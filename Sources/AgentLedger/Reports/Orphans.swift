import GRDB
import StoreRows
import StoreValues

extension Ledger {
  /// Rows that have lost what would have ended them.
  public struct Orphans: Hashable, Sendable, Codable {
    /// What they have lost.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
      /// Tasks in progress whose lease has run out: the next claim takes them back.
      case expiredLeases = "expired_leases"
      /// Tasks in progress whose worker is not registered, has crashed or was stopped.
      case tasksWithoutWorker = "tasks_without_worker"
      /// Workers that name a task that they do not have.
      case workersWithoutTask = "workers_without_task"
      /// Runs that have not ended and were silent for as long as was asked for.
      case silentRuns = "silent_runs"
      /// Runs that have not ended of a task that has.
      case runsOfEndedTasks = "runs_of_ended_tasks"
      /// Prompts that wait for a response in a run that has ended.
      case promptsOfEndedRuns = "prompts_of_ended_runs"
      /// Notices that wait to be sent, and no message does it.
      case noticesWithoutMessage = "notices_without_message"
      /// Names of samples without a sample.
      case emptySeries = "empty_series"
    }

    /// What they have lost.
    public let kind: Kind
    /// How many there are.
    public let count: Int
    /// The ids, or names, of the first five.
    public let examples: [String]
  }
}

extension Ledger.Orphans.Kind {
  /// The rows, from `FROM` on, and the column that names one. Parameter: the time for leases and runs, unless it is 0 of them.
  var rows: (name: String, source: String, parameters: Int) {
    switch self {
    case .expiredLeases:
      ("tasks.id", "tasks INDEXED BY tasks_leased WHERE status = 'in_progress' AND lease_until <= ?1", 1)
    case .tasksWithoutWorker:
      (
        "tasks.id",
        """
        tasks INDEXED BY tasks_of_worker WHERE status = 'in_progress' AND NOT EXISTS (
            SELECT 1 FROM workers WHERE workers.id = worker_id AND workers.status IN ('idle', 'busy', 'restarting'))
        """, 0
      )
    case .workersWithoutTask:
      (
        "workers.id",
        """
        workers WHERE current_task IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM tasks WHERE tasks.id = current_task AND tasks.status = 'in_progress' AND worker_id = workers.id)
        """, 0
      )
    case .silentRuns:
      ("runs.id", "runs WHERE completed_at IS NULL AND last_heartbeat <= ?1", 1)
    case .runsOfEndedTasks:
      (
        "runs.id",
        """
        runs INDEXED BY runs_living CROSS JOIN tasks ON tasks.id = runs.task_id
        WHERE runs.completed_at IS NULL AND tasks.completed_at IS NOT NULL
        """, 0
      )
    case .promptsOfEndedRuns:
      (
        "prompts.id",
        """
        prompts INDEXED BY prompts_open CROSS JOIN runs ON runs.id = prompts.run_id
        WHERE prompts.status IN ('pending', 'streaming') AND runs.completed_at IS NOT NULL
        """, 0
      )
    case .noticesWithoutMessage:
      (
        "notices.id",
        """
        notices INDEXED BY notices_pending WHERE status = 'pending' AND NOT EXISTS (
            SELECT 1 FROM outbox
            WHERE outbox.key = notices.id AND kind = 'notices' AND delivered_at IS NULL AND dead_at IS NULL)
        """, 0
      )
    case .emptySeries:
      // Every name is greater: the rows are read along the index.
      (
        "series.name",
        "series WHERE name > '' AND NOT EXISTS (SELECT 1 FROM samples WHERE samples.series = series.seq)", 0
      )
    }
  }

  var counting: String { "SELECT count(*) FROM \(rows.source)" }
  var naming: String { "SELECT \(rows.name) FROM \(rows.source) LIMIT 5" }

  /// - Parameter time: By which a lease has run out.
  /// - Parameter silence: Since which a run is silent.
  func orphans(at time: Timestamp, silentSince silence: Timestamp, _ db: Database) throws -> Ledger.Orphans {
    let arguments: StatementArguments =
      rows.parameters == 0 ? [] : [self == .silentRuns ? silence.milliseconds : time.milliseconds]
    let count = try Int.fetchOne(db.cachedStatement(sql: counting), arguments: arguments) ?? 0
    let names = count == 0 ? [] : try String.fetchAll(db.cachedStatement(sql: naming), arguments: arguments)
    return Ledger.Orphans(kind: self, count: count, examples: names)
  }
}
