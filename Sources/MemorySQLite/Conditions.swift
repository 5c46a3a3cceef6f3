import EpisodicMemory
import GRDB

/// Scope and filter as conditions on `episodes e`.
struct Conditions {
  private(set) var clauses: [String] = []
  private(set) var arguments = StatementArguments()

  init(_ filter: Episode.Filter, _ scope: Scope) {
    if case .domain(let domain) = scope { add("e.domain = ?", domain.canonicallyComposed) }
    if let session = filter.session { add("e.session = ?", session.canonicallyComposed) }
    if let taskType = filter.taskType { add("e.task_type = ?", taskType.rawValue) }
    if let statuses = filter.statuses?.map(\.rawValue).sorted(), statuses.count < Episode.Status.allCases.count {
      clauses.append("e.status IN (\(statuses.map { _ in "?" }.joined(separator: ", ")))")
      arguments += StatementArguments(statuses)
    }
    if let after = filter.after { add("e.created_at >= ?", after.milliseconds) }
    if let before = filter.before { add("e.created_at < ?", before.milliseconds) }
  }

  mutating func add(_ clause: String, _ values: (any DatabaseValueConvertible)...) {
    clauses.append(clause)
    arguments += StatementArguments(values)
  }

  var whereClause: String { clauses.isEmpty ? "" : "WHERE " + clauses.joined(separator: " AND ") }
  /// To follow other conditions.
  var andClause: String { clauses.map { " AND " + $0 }.joined() }
}
