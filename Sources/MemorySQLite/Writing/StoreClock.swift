import EpisodicMemory
import GRDB

/// What the store knows of the clock, before something is deleted by its age.
enum StoreClock {
  /// - Returns: Why the clock is not believed; `nil` if it is.
  static func judge(
    _ now: Timestamp, isAccepted: Bool = false, isDryRun: Bool = false, _ db: Database
  ) throws -> ClockDoubt? {
    let stored = RetentionClock(json: try Setting.value(RetentionClock.setting, db))
    let activity = try db.cachedStatement(sql: latestCreation)
    func newest(_ notAfter: Timestamp) throws -> Timestamp? {
      try Int64.fetchOne(activity, arguments: [notAfter.milliseconds]).map(Timestamp.init(milliseconds:))
    }
    var clock = try stored ?? RetentionClock(newest: newest(now) ?? now)
    let doubt = try clock.judge(now, shortestAge: shortestAge(db), isAccepted: isAccepted, activity: newest)
    if !isDryRun, clock != stored { try Setting.set(RetentionClock.setting, to: clock.json, at: now, db) }
    return doubt
  }

  /// Argument: a time. What is dated later says nothing: an import may be.
  static let latestCreation = "SELECT max(created_at) FROM episodes WHERE created_at <= ?"

  private static func shortestAge(_ db: Database) throws -> Duration? {
    do {
      return try RetentionPolicies(json: Setting.value(RetentionPolicies.setting, db)).shortestAge
    } catch let error as MemoryError where error.code == .corrupted || error.code == .invalid {
      // No rule of a policy that cannot be read is applied.
      return nil
    }
  }
}
