import GRDB
import StoreRows
import StoreValues

/// Rows of `alert_rules` and `alerts`.
enum AlertRow {
  private static let columns = """
    name, condition, labels, comparison, threshold, window_ms, level, channels, recipients, enabled, cooldown_ms, last_triggered
    """
  static let byName = "SELECT \(columns) FROM alert_rules WHERE name = ?"
  static let page = "SELECT \(columns) FROM alert_rules WHERE name > ? ORDER BY name LIMIT ?"
  static let enabled = "SELECT \(columns) FROM alert_rules WHERE enabled ORDER BY name"
  static let ofRule =
    "SELECT rule, value, created_at FROM alerts WHERE rule = ? ORDER BY created_at DESC, seq DESC LIMIT ?"
  static let last = "SELECT rule, value, created_at FROM alerts WHERE ?1 IS NULL ORDER BY seq DESC LIMIT ?2"

  static func rule(_ row: Row) throws -> Ledger.AlertRule {
    let channels = try texts(row, 7).map { text in
      guard let channel = Ledger.Notice.Channel(rawValue: text) else {
        throw MemoryError(
          .corrupted, "an alert rule has the channel \"\(text.shortened(to: 40))\", which is none; save the rule again")
      }
      return channel
    }
    return Ledger.AlertRule(
      name: try row.text(0), condition: try row.name(1), labels: try row.json(2), comparison: try row.closed(3),
      threshold: try row.value(4), window: try row.duration(ifAny: 5) ?? .zero, level: try row.closed(6),
      channels: channels, recipients: try texts(row, 8).map { Ledger.Person.ID(composed: $0) },
      isEnabled: try row.value(9), cooldown: try row.duration(ifAny: 10) ?? .zero,
      lastTriggered: try row.time(ifAny: 11))
  }

  private static func texts(_ row: Row, _ index: Int) throws -> [String] {
    guard case .array(let elements) = try row.json(index) else { return [] }
    return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  static func find(_ name: String, _ db: Database) throws -> Ledger.AlertRule? {
    try Row.fetchOne(db.cachedStatement(sql: byName), arguments: [name]).map(rule)
  }

  static func alert(_ row: Row) throws -> Ledger.Alert {
    Ledger.Alert(rule: try row.text(0), value: try row.value(1), createdAt: try row.time(2))
  }

  static func trigger(_ rule: Ledger.AlertRule, at now: Timestamp, _ db: Database) throws {
    try db.cachedStatement(sql: "UPDATE alert_rules SET last_triggered = ? WHERE name = ?")
      .execute(arguments: [now.milliseconds, rule.name])
  }

  static func insert(_ alert: Ledger.Alert, _ db: Database) throws {
    try db.cachedStatement(sql: "INSERT INTO alerts (rule, value, created_at) VALUES (?, ?, ?)")
      .execute(arguments: [alert.rule, alert.value, alert.createdAt.milliseconds])
  }
}

/// A draft that has been checked.
struct NewAlertRule: Sendable {
  private let draft: Ledger.AlertRule.Draft
  private let labels: String
  private let window: Int64
  private let cooldown: Int64

  init(_ draft: Ledger.AlertRule.Draft, _ input: LedgerInput) throws(MemoryError) {
    var draft = draft
    draft.name = draft.name.canonicallyComposed
    draft.condition = .init(rawValue: draft.condition.rawValue.canonicallyComposed)
    try input.name(draft.name, "the rule's name")
    try input.name(draft.condition.rawValue, "the rule's condition")
    guard draft.threshold.isFinite else {
      throw MemoryError(.invalid, "the threshold of rule \"\(draft.name)\" is \(draft.threshold); give a finite number")
    }
    try input.channels(draft.channels)
    try input.batch(draft.recipients.count, "recipients")
    for id in draft.recipients { try input.identifier(id, "a recipient's id") }
    labels = try input.object(draft.labels, "the rule's labels")
    try Self.check(draft.labels, of: draft.condition)
    window = try input.milliseconds(draft.window, "the rule's window", atLeast: .milliseconds(1)) ?? 1
    cooldown = try input.milliseconds(draft.cooldown, "the rule's cooldown") ?? 0
    self.draft = draft
  }

  private static func check(_ labels: JSON, of condition: Ledger.AlertRule.Condition) throws(MemoryError) {
    for (name, value) in labels.members ?? [:] {
      guard case .string = value else {
        throw MemoryError(
          .invalid, "the rule's label \(name) is \(value.canonicalText.shortened(to: 40)); give a text")
      }
      guard let known = AlertMeasure.labels(of: condition), !known.contains(name) else { continue }
      throw MemoryError(
        .invalid,
        "the condition \(condition) has no label \"\(name.shortened(to: 40))\"; give \(known.joined(separator: " or "))"
      )
    }
  }

  /// A rule that is saved again keeps when it fired last.
  func save(at now: Timestamp, _ db: Database) throws -> Ledger.AlertRule {
    for id in draft.recipients { _ = try PersonRow.require(id, at: now, db) }
    try db.execute(
      sql: """
        INSERT INTO alert_rules
            (name, condition, labels, comparison, threshold, window_ms, level, channels, recipients, enabled, cooldown_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT (name) DO UPDATE SET condition = ?2, labels = ?3, comparison = ?4, threshold = ?5, window_ms = ?6,
            level = ?7, channels = ?8, recipients = ?9, enabled = ?10, cooldown_ms = ?11
        """,
      arguments: [
        draft.name, draft.condition.rawValue, labels, draft.comparison.rawValue, draft.threshold, window,
        draft.level.rawValue, JSON.array(draft.channels.map { .string($0.rawValue) }).canonicalText,
        JSON.array(draft.recipients.map { .string($0.rawValue) }).canonicalText, draft.isEnabled, cooldown,
      ])
    guard let rule = try AlertRow.find(draft.name, db) else { throw MemoryError.noRule(draft.name) }
    return rule
  }
}

extension MemoryError {
  static func noRule(_ name: String) -> MemoryError {
    MemoryError(.notFound, "no alert rule \"\(name.shortened(to: 60))\"; save it first")
  }
}
