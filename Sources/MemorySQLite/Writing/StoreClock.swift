import EpisodicMemory
import GRDB
import StoreRows

/// What the store knows of the clock, before something is deleted by its age.
enum StoreClock {
  /// Looks at the clock, and keeps what was seen unless the run is dry.
  static func look(
    at now: Timestamp, isAccepted: Bool = false, isDryRun: Bool = false, _ db: Database
  ) throws -> RetentionClock {
    let stored = RetentionClock(json: try Setting.value(RetentionClock.setting, db))
    var clock = try stored ?? RetentionClock(start: created(db) ?? now)
    if isAccepted { clock.accept(now) } else { clock.look(at: now) }
    if !isDryRun, clock != stored { try Setting.set(RetentionClock.setting, to: clock.json, at: now, db) }
    return clock
  }

  /// When the store was made. The newest row may be of a clock that was wrong.
  private static func created(_ db: Database) throws -> Timestamp? {
    guard try db.tableExists("schema_version") else { return nil }
    return try Int64.fetchOne(
      db, sql: "SELECT min(applied_at) FROM schema_version WHERE typeof(applied_at) = 'integer'"
    ).map(Timestamp.init(milliseconds:))
  }
}
