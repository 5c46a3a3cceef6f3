import GRDB

/// Which rows of a topic go, and what goes before each of them.
///
/// Parameters of the conditions: `:cutoff`, the time of the topic; `:messages` and `:completed`, those of these topics, the
/// earliest time of all and the latest one if nothing of them goes.
struct RetentionRule: Sendable {
  let topic: Ledger.Retention.Topic
  let table: String
  /// The column by which a row is old.
  let time: String
  /// Of the rows that an index lists in the order of that time.
  var filter = ""
  /// Besides the time.
  var condition = "TRUE"
  /// Statements about the row `:seq`, before it is deleted.
  var before: [String] = []
  /// Other writers wait for so many.
  var rowsAtOnce = 64

  /// In the order in which they are applied: a result goes after its message.
  static let all: [RetentionRule] =
    [
      RetentionRule(
        topic: .messages, table: "outbox", time: "delivered_at", filter: "delivered_at IS NOT NULL AND ",
        condition: isOver("outbox")),
      RetentionRule(
        topic: .results, table: "results", time: "created_at",
        condition: """
          (SELECT completed_at FROM tasks WHERE id = results.task_id) IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM outbox WHERE result_id = results.id AND NOT (\(isOver("outbox"))))
          """),
      RetentionRule(
        topic: .completedTasks, table: "tasks", time: "completed_at", filter: "+status = 'completed' AND ",
        condition: "\(isFree) AND \(isDelivered(":cutoff"))", before: [keepsFiles]),
      RetentionRule(
        topic: .archivedTasks, table: "tasks", time: "completed_at",
        condition: """
          \(isFree) AND NOT EXISTS (
              SELECT 1 FROM results r JOIN outbox o ON o.result_id = r.id WHERE r.task_id = tasks.id AND NOT (\(isOver("o"))))
          AND NOT (status = 'completed' AND :completed < \(Int64.max) AND completed_at <= :completed
                   AND \(isDelivered(":completed")))
          """, before: [unarchive, archive, keepsFiles]),
      RetentionRule(topic: .deliveries, table: "deliveries", time: "created_at", rowsAtOnce: 500),
      RetentionRule(
        topic: .notices, table: "notices", time: "created_at",
        condition: """
          status <> 'pending' AND NOT EXISTS (
              SELECT 1 FROM outbox WHERE key = notices.id AND delivered_at IS NULL AND dead_at IS NULL)
          AND NOT EXISTS (SELECT 1 FROM outbox WHERE key = notices.id AND dead_at IS NOT NULL)
          """),
      RetentionRule(topic: .pages, table: "pages", time: "expires_at"),
    ]
    + (0...4).map { level in
      RetentionRule(
        topic: level <= 1 ? .infoEvents : .errorEvents, table: "events", time: "created_at",
        filter: "level = \(level) AND ", rowsAtOnce: 500)
    }

  // MARK: Conditions

  /// A message was delivered so long ago that it goes; one with the result of a completed task stays until the task goes too,
  /// which has its time from it.
  private static func isOver(_ message: String) -> String {
    """
    \(message).delivered_at IS NOT NULL AND \(message).delivered_at <= :messages AND (
        \(message).delivered_at <= :completed OR \(message).result_id IS NULL OR NOT EXISTS (
            SELECT 1 FROM results JOIN tasks t ON t.id = results.task_id
            WHERE results.id = \(message).result_id AND t.status = 'completed'))
    """
  }

  /// No message of the task is undelivered, no run of it is no episode yet, and no subtask of it is open.
  private static let isFree = """
    NOT EXISTS (SELECT 1 FROM runs WHERE task_id = tasks.id AND episode_id IS NULL)
    AND NOT EXISTS (SELECT 1 FROM tasks c WHERE c.parent_id = tasks.id AND c.completed_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE key = tasks.id AND delivered_at IS NULL AND dead_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE key = tasks.id AND dead_at IS NOT NULL)
    """

  private static func isDelivered(_ time: String) -> String {
    """
    NOT EXISTS (SELECT 1 FROM results r JOIN outbox o ON o.result_id = r.id
                WHERE r.task_id = tasks.id AND (o.delivered_at IS NULL OR o.delivered_at > \(time)))
    """
  }

  // MARK: Before a task goes

  /// Files that a run of it touched stay those of the run.
  private static let keepsFiles = """
    UPDATE file_accesses SET task_id = NULL
    WHERE run_id IS NOT NULL AND task_id = (SELECT id FROM tasks WHERE seq = :seq)
    """

  static let archivedColumns = """
    id, type, params, priority, status, attempts, max_attempts, crashes, max_crashes, not_before, worker_id, error, category, \
    complexity, tokens, request, response, content_hash, person_id, domain, session, parent_id, created_at, started_at, \
    completed_at
    """
  /// Of an earlier task with its id.
  private static let unarchive = "DELETE FROM tasks_archive WHERE id = (SELECT id FROM tasks WHERE seq = :seq)"
  private static let archive = """
    INSERT INTO tasks_archive (\(archivedColumns), archived_at) SELECT \(archivedColumns), :now FROM tasks WHERE seq = :seq
    """

  // MARK: Statements

  /// The rows of that time or an earlier one, after a place.
  var candidates: String {
    """
    SELECT seq, \(time) FROM \(table) WHERE \(filter)\(time) <= :cutoff AND (\(time), seq) > (:time, :seq)
    ORDER BY \(time), seq LIMIT :limit
    """
  }
  var test: String { "SELECT 1 FROM \(table) WHERE seq = :seq AND \(condition)" }
  var deletion: String { "DELETE FROM \(table) WHERE seq = :seq" }
}
