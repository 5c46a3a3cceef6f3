import GRDB
import StoreRows
import StoreValues

/// The times before which rows go, by topic: fixed when a pass begins.
struct RetentionTimes: Sendable {
  private let cutoffs: [Ledger.Retention.Topic: Int64]
  /// Beginnings of the windows of alert rules, by condition.
  private let windows: [String: Int64]
  let clockDoubt: String?

  /// - Parameter clock: After its look at `now`. A rule that it does not believe is judged by the time that it has counted:
  ///   what is too old by that is too old by every clock.
  init(_ retention: Ledger.Retention, by clock: RetentionClock, at now: Timestamp, _ db: Database) throws {
    windows = Dictionary(
      try Row.fetchAll(db, sql: "SELECT condition, max(window_ms) FROM alert_rules GROUP BY condition").map { row in
        (try row.text(0), now.adding(.milliseconds(-(try row.value(1) as Int64))).milliseconds)
      }, uniquingKeysWith: min)
    cutoffs = retention.ages.mapValues { age in
      (clock.isBelieved(forAge: age) ? now : clock.counted).adding(.zero - age).milliseconds
    }
    clockDoubt = clock.doubt(ofAges: Array(retention.ages.values), tellsTime: true)
  }

  /// Rows of that time and of earlier ones go; `nil`: none.
  subscript(topic: Ledger.Retention.Topic) -> Int64? {
    guard let cutoff = cutoffs[topic] else { return nil }
    let conditions: [Ledger.AlertRule.Condition] =
      switch topic {
      case .completedTasks, .archivedTasks: [.errorRate, .responseTime, .usage]
      case .infoEvents, .errorEvents: [.errors]
      default: []
      }
    return conditions.compactMap { windows[$0.rawValue] }.reduce(cutoff, min)
  }

  /// The same of the samples of one name.
  func samples(named name: String) -> Int64? {
    cutoffs[.samples].map { min($0, windows[name] ?? $0) }
  }

  func isInRule(_ name: String) -> Bool { windows[name] != nil }

  /// What `RetentionRule` asks.
  func arguments(_ cutoff: Int64) -> [String: (any DatabaseValueConvertible)?] {
    ["cutoff": cutoff, "messages": self[.messages] ?? .min, "completed": self[.completedTasks] ?? .max]
  }
}

extension RetentionClock {
  /// Looks at the clock, and keeps what was seen unless the run is dry. The ledger begins with its creation.
  static func look(at now: Timestamp, isAccepted: Bool, isDryRun: Bool, _ db: Database) throws -> RetentionClock {
    let stored = RetentionClock(json: try Setting.value(setting, db))
    let created = try Int64.fetchOne(db, sql: "SELECT created_at FROM ledger")
    var clock = stored ?? RetentionClock(start: created.map(Timestamp.init(milliseconds:)) ?? now)
    if isAccepted { clock.accept(now) } else { clock.look(at: now) }
    if !isDryRun, clock != stored { try Setting.set(setting, to: clock.json, at: now, db) }
    return clock
  }
}
