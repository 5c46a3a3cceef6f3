import SQLiteStorage
import StoreValues

/// Which tasks a worker claims.
struct TaskClaim: Sendable {
  let worker: Ledger.Worker.ID
  let count: Int
  /// Sorted; empty for any.
  let types: [String]
  let domain: String?
  /// Milliseconds.
  let lease: Int64

  private static let sortKeys = "priority, created_at, not_before"
  static let order = "\(sortKeys), seq"
  private static let isNext = "status = 'pending' AND is_ready = 1"

  /// Its parameters are those of `bind(to:at:)`, by their number.
  var sql: String {
    // SQLite keeps the rows of an IN in a table of their own, which one row can do without.
    """
    UPDATE tasks SET status = 'in_progress', is_ready = 1, attempts = attempts + 1, lease_until = ?1 + ?2, waits_since = ?1,
        worker_id = ?3, started_at = coalesce(started_at, ?1)
    WHERE seq \(count == 1 ? "=" : "IN") (\(next)) RETURNING \(TaskRow.columns), seq
    """
  }

  /// The tasks to claim, in order. Each type is read along an index of its own: one that many tasks wait for does not hide
  /// another.
  var next: String {
    var place = 5
    // Named: without statistics SQLite prefers the index of all pending tasks, and sorts these for each claim.
    let index = types.isEmpty ? domain == nil ? "tasks_next" : "tasks_next_of_domain" : "tasks_next_of_type"
    func ordered(_ condition: String) -> String {
      "SELECT seq, \(Self.sortKeys) FROM tasks INDEXED BY \(index) WHERE \(Self.isNext)\(condition) ORDER BY \(Self.order) LIMIT ?4"
    }
    let inDomain: String
    if domain != nil {
      inDomain = " AND domain = ?\(place)"
      place += 1
    } else {
      inDomain = ""
    }
    guard !types.isEmpty else { return "SELECT seq FROM (\(ordered(inDomain)))" }
    let parts = types.indices.map { "SELECT * FROM (\(ordered(" AND type = ?\(place + $0)" + inDomain)))" }
    return "SELECT seq FROM (\(parts.joined(separator: " UNION ALL "))) ORDER BY \(Self.order) LIMIT ?4"
  }

  func bind(to statement: inout RawStatement, at now: Timestamp) throws {
    try statement.bind(now.milliseconds)
    try statement.bind(lease)
    try statement.bind(worker.rawValue)
    try statement.bind(Int64(count))
    if let domain { try statement.bind(domain) }
    for type in types { try statement.bind(type) }
  }
}
