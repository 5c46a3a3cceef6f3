import GRDB
import StoreRows
import StoreValues

/// What a rule finds in its window, which ends now: its beginning is not of it, its end is.
struct AlertMeasure {
  let rule: Ledger.AlertRule
  let now: Timestamp
  let db: Database

  /// - Returns: `nil` if there is nothing to take a rate or a mean of.
  func value() throws -> Double? {
    switch rule.condition {
    case .errorRate: try number(Self.errorRate + labels(Self.taskLabels))
    case .responseTime: try number(Self.responseTime + labels(Self.taskLabels))
    case .usage: try number(Self.usage + labels(Self.taskLabels))
    case .errors: try number(Self.errors + labels(Self.eventLabels))
    default: try meanOfSamples()
    }
  }

  private var start: Int64 { now.advanced(by: .zero - rule.window).milliseconds }

  private func number(_ sql: String) throws -> Double? {
    var arguments: StatementArguments = [start, now.milliseconds]
    // Of these columns only a task's type is stored in the form in which it was given.
    for (name, value) in texts { arguments += [name == "type" ? value : value.canonicallyComposed] }
    return try Double.fetchOne(db.cachedStatement(sql: sql), arguments: arguments)
  }

  // MARK: Labels

  private static let taskLabels = ["domain", "type"]
  private static let eventLabels = ["component", "error_type", "kind"]

  /// The labels that a condition knows; `nil` for any.
  static func labels(of condition: Ledger.AlertRule.Condition) -> [String]? {
    switch condition {
    case .errorRate, .responseTime, .usage: taskLabels
    case .errors: eventLabels
    default: nil
    }
  }

  private var texts: [(name: String, value: String)] {
    (rule.labels.members ?? [:]).compactMap { member in
      if case .string(let text) = member.value { (member.name, text) } else { nil }
    }
  }

  /// The sign keeps SQLite from looking for the label first, of which there may be more rows than in the window.
  private func labels(_ known: [String]) -> String {
    texts.enumerated().map { index, label in known.contains(label.name) ? " AND +\(label.name) = ?\(index + 3)" : "" }
      .joined()
  }

  // MARK: Statements

  static let errorRate = """
    SELECT avg(status = 'failed') FROM tasks
    WHERE completed_at > ?1 AND completed_at <= ?2 AND +status IN ('completed', 'failed')
    """
  static let responseTime = """
    SELECT avg(max(0, completed_at - started_at)) FROM tasks
    WHERE completed_at > ?1 AND completed_at <= ?2 AND +status = 'completed' AND started_at IS NOT NULL
    """
  static let usage = """
    SELECT count(*) FROM tasks WHERE status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')
        AND created_at > ?1 AND created_at <= ?2
    """
  static let errors = "SELECT count(*) FROM events WHERE level IN (3, 4) AND created_at > ?1 AND created_at <= ?2"
  static let seriesOfName = "SELECT seq, labels FROM series WHERE name = ?"
  static let samplesOfSeries = "SELECT count(*), total(value) FROM samples WHERE series = ?1 AND at > ?2 AND at <= ?3"

  private func meanOfSamples() throws -> Double? {
    var (count, sum) = (0, 0.0)
    for row in try Row.fetchAll(db.cachedStatement(sql: Self.seriesOfName), arguments: [rule.condition.rawValue]) {
      let labels = try row.json(1)
      guard texts.allSatisfy({ labels[$0.name] == .string($0.value) }) else { continue }
      let series: Int64 = try row.value(0)
      let statement = try db.cachedStatement(sql: Self.samplesOfSeries)
      guard let found = try Row.fetchOne(statement, arguments: [series, start, now.milliseconds]) else { continue }
      let (samples, total): (Int, Double) = (try found.value(0), try found.value(1))
      count += samples
      sum += total
    }
    return count == 0 ? nil : sum / Double(count)
  }
}
