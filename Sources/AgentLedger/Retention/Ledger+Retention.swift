import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// How long this ledger keeps what has ended.
  public func retention() async throws(MemoryError) -> Retention {
    try await database.read { db in try Self.storedRetention(db) }
  }

  /// Stores how long this ledger keeps what has ended; `applyRetention` and `maintain` go by it.
  ///
  /// - Throws: `.invalid` for a time below nothing or beyond ten years.
  public func set(_ retention: Retention) async throws(MemoryError) {
    try retention.validate(database.input)
    try await database.write(grows: false) { db, now in
      try Setting.set(Retention.setting, to: retention.json, at: now, db)
    }
  }

  /// Removes what is older than the retention of this ledger, in slices: another writer waits for one of them at most.
  ///
  /// A clock that jumped ahead deletes nothing at once: after a pause of more than 36 hours between two passes the time of the
  /// pause is not counted, unless it is short for a rule (half of its age, 30 days at most), until the clock has gone on for 7
  /// days at most or the third such pause in succession. `isAcceptingClock` ends that.
  ///
  /// - Parameter isDryRun: Counts what would go, and changes nothing.
  /// - Returns: How many rows went, by topic.
  @discardableResult
  public func applyRetention(
    isDryRun: Bool = false, isAcceptingClock: Bool = false
  ) async throws(MemoryError) -> RetentionReport {
    let times = try await retentionTimes(isDryRun: isDryRun, isAcceptingClock: isAcceptingClock)
    var report = RetentionReport(isDryRun: isDryRun, clockDoubt: times.clockDoubt)
    report.counts = try await RetentionPass(database: database, times: times, isDryRun: isDryRun).run()
    let changes = try await pruneChanges(times[.changes], isDryRun: isDryRun)
    if changes > 0 { report.counts[.changes] = changes }
    return report
  }

  private func retentionTimes(isDryRun: Bool, isAcceptingClock: Bool) async throws(MemoryError) -> RetentionTimes {
    let clock = database.clock
    @Sendable func look(_ db: Database, _ now: Timestamp) throws -> RetentionTimes {
      let looked = try RetentionClock.look(at: now, isAccepted: isAcceptingClock, isDryRun: isDryRun, db)
      return try RetentionTimes(Self.storedRetention(db), by: looked, at: now, db)
    }
    if isDryRun { return try await database.read { db in try look(db, clock.now()) } }
    return try await database.write(grows: false, look)
  }

  private static func storedRetention(_ db: Database) throws -> Retention {
    guard let stored = try Setting.value(Retention.setting, db) else { return Retention() }
    return try Retention(stored: stored)
  }
}
