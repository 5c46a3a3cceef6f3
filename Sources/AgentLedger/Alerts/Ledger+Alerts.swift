import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Saves a rule, in place of one of the same name, which keeps when it fired last.
  ///
  /// - Throws: `.invalid`; `.notFound` if a recipient is.
  @discardableResult
  public func save(_ rule: AlertRule.Draft) async throws(MemoryError) -> AlertRule {
    let new = try NewAlertRule(rule, database.input)
    return try await database.write { db, now in try new.save(at: now, db) }
  }

  /// The rule of a name; `nil` if there is none.
  public func alertRule(_ name: String) async throws(MemoryError) -> AlertRule? {
    try await database.read { db in try AlertRow.find(name.canonicallyComposed, db) }
  }

  /// Rules in the order of their names.
  ///
  /// - Parameter last: The name of the last one of the page before; `nil` for the first page.
  public func alertRules(after last: String? = nil, limit: Int = 50) async throws(MemoryError) -> [AlertRule] {
    try database.input.page(limit)
    return try await database.read { db in
      try Row.fetchAll(
        db.cachedStatement(sql: AlertRow.page), arguments: [last?.canonicallyComposed ?? "", limit]
      ).map(AlertRow.rule)
    }
  }

  /// Leaves a rule out of what is evaluated, or has it evaluated again; its history stays.
  ///
  /// - Throws: `.notFound`.
  @discardableResult
  public func set(isEnabled: Bool, ofAlertRule name: String) async throws(MemoryError) -> AlertRule {
    let composed = name.canonicallyComposed
    return try await database.write(grows: false) { db, _ in
      try db.execute(sql: "UPDATE alert_rules SET enabled = ? WHERE name = ?", arguments: [isEnabled, composed])
      guard let rule = try AlertRow.find(composed, db) else { throw MemoryError.noRule(name) }
      return rule
    }
  }

  /// Removes a rule with its history; the notices that it sent stay.
  ///
  /// - Throws: `.notFound`.
  public func remove(alertRule name: String) async throws(MemoryError) {
    try await database.write(grows: false) { db, _ in
      try db.execute(sql: "DELETE FROM alert_rules WHERE name = ?", arguments: [name.canonicallyComposed])
      if db.changesCount == 0 { throw MemoryError.noRule(name) }
    }
  }

  /// Rules that fired, the last one first.
  ///
  /// - Parameter rule: A rule's name; `nil` for all rules.
  public func alerts(of rule: String? = nil, limit: Int = 50) async throws(MemoryError) -> [Alert] {
    try database.input.page(limit)
    return try await database.read { db in
      try Row.fetchAll(
        db.cachedStatement(sql: rule == nil ? AlertRow.last : AlertRow.ofRule),
        arguments: [rule?.canonicallyComposed, limit]
      ).map(AlertRow.alert)
    }
  }

  /// Looks at what each enabled rule finds in its window, and fires those that are beyond their threshold: each writes an alert
  /// and notices to its recipients in one commit, once per cooldown, however many processes call this.
  ///
  /// Call it by a timer. A clock that was set back behind the last time that a rule fired begins its cooldown again.
  ///
  /// - Returns: The alerts of this call.
  @discardableResult
  public func evaluateAlerts() async throws(MemoryError) -> [Alert] {
    let now = database.clock.now()
    // Windows are summed up before others are made to wait for a transaction.
    let found = try await database.read { db in
      try Row.fetchAll(db.cachedStatement(sql: AlertRow.enabled)).map(AlertRow.rule).compactMap { rule in
        try AlertEvaluation(rule, at: now, db)
      }
    }
    guard !found.isEmpty else { return [] }
    let input = database.input
    return try await database.write { db, now in
      try found.compactMap { try $0.fire(at: now, input, db) }
    }
  }
}

/// What is to be done about a rule.
private struct AlertEvaluation: Sendable {
  private let name: String
  /// `nil`: the clock is behind the time at which it fired.
  private let value: Double?

  /// - Returns: `nil` if there is nothing to do.
  init?(_ rule: Ledger.AlertRule, at now: Timestamp, _ db: Database) throws {
    name = rule.name
    switch rule.cooling(at: now) {
    case .running: return nil
    case .ahead: value = nil
    case .over:
      guard let found = try AlertMeasure(rule: rule, now: now, db: db).value(), rule.isBeyond(found) else { return nil }
      value = found
    }
  }

  /// - Returns: `nil` if the rule was removed, changed or fired meanwhile.
  func fire(at now: Timestamp, _ input: LedgerInput, _ db: Database) throws -> Ledger.Alert? {
    guard let rule = try AlertRow.find(name, db), rule.isEnabled else { return nil }
    switch rule.cooling(at: now) {
    case .running: return nil
    case .ahead:
      try AlertRow.trigger(rule, at: now, db)
      return nil
    case .over:
      guard let value, rule.isBeyond(value) else { return nil }
      let alert = Ledger.Alert(rule: name, value: value, createdAt: now)
      try AlertRow.trigger(rule, at: now, db)
      try AlertRow.insert(alert, db)
      let notice = NewNotice(type: .alert, level: rule.level, text: rule.text(value))
      for recipient in rule.recipients where try PersonRow.find(recipient, at: now, db) != nil {
        _ = try notice.insert(
          to: recipient, by: rule.channels.isEmpty ? nil : rule.channels, at: now, input, db)
      }
      return alert
    }
  }
}

extension Ledger.AlertRule {
  fileprivate enum Cooling {
    case over, running
    /// It fired after now: a clock was set back.
    case ahead
  }

  fileprivate func cooling(at now: Timestamp) -> Cooling {
    guard let lastTriggered else { return .over }
    if now < lastTriggered { return .ahead }
    return lastTriggered.advanced(by: cooldown) <= now ? .over : .running
  }

  fileprivate func isBeyond(_ value: Double) -> Bool {
    switch comparison {
    case .above: value > threshold
    case .below: value < threshold
    }
  }

  fileprivate func text(_ value: Double) -> Ledger.NoticeText {
    Ledger.NoticeText(
      subject: "\(level.rawValue): \(name)",
      body: "\(condition) is \(value), \(comparison.rawValue) \(threshold), over \(window.inWholeUnits).")
  }
}
