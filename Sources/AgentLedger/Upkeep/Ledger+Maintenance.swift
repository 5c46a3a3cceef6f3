import GRDB
import SQLiteStorage
import StoreRows
public import StoreValues

extension Ledger {
  /// Does what is due, in small slices: retention; leases that ran out and runs that are silent; the bound of the pages; free
  /// pages of the file, and its log. One process at a time maintains a ledger; a second one says so.
  ///
  /// A step that fails does not keep the others from being done. Statistics for SQLite's planner are not made: each named query
  /// has an index, and its plan does not depend on what the tables hold.
  @discardableResult
  public func maintain(
    _ options: MaintenanceOptions = MaintenanceOptions()
  ) async throws(MemoryError) -> MaintenanceReport {
    let silence = try database.input.milliseconds(
      options.abandonedAfter, "abandonedAfter", atLeast: .milliseconds(1))
    var report = MaintenanceReport(startedAt: database.clock.now())
    let release: @Sendable () -> Void
    switch try takeMaintenanceLock() {
    case .taken(let pid):
      (report.isHeld, report.holder) = (true, pid)
      return report
    case .held(let free): release = free
    }
    defer { release() }
    let steps = options.isDryRun ? [MaintenanceReport.Step.retention] : MaintenanceReport.Step.allCases
    for step in steps {
      var outcome = MaintenanceReport.Outcome(step: step)
      let began = ContinuousClock.now
      do throws(MemoryError) {
        try await perform(step, options, silence, &outcome)
      } catch {
        guard error.code != .cancelled, error.code != .closed else { throw error }
        (outcome.hasFailed, outcome.reason) = (true, error.message)
      }
      outcome.milliseconds = Int(clamping: (ContinuousClock.now - began).milliseconds)
      outcome.counts = outcome.counts.filter { $0.value > 0 }
      report.outcomes.append(outcome)
    }
    if !options.isDryRun { try await note(report) }
    return report
  }

  /// When the ledger was maintained last to the end; `nil` if it never was.
  public func lastMaintained() async throws(MemoryError) -> Timestamp? {
    try await database.read { db in
      try Int64.fetchOne(db, sql: "SELECT finished_at FROM maintenance WHERE task = 'all'")
        .map(Timestamp.init(milliseconds:))
    }
  }

  private func takeMaintenanceLock() throws(MemoryError) -> MaintenanceLock.Outcome {
    do {
      return try database.stored.maintenanceLock.take()
    } catch {
      throw database.explained(error)
    }
  }

  private func note(_ report: MaintenanceReport) async throws(MemoryError) {
    let outcome = JSON.object(
      JSON.Object(
        report.outcomes.map { outcome in
          let counts = outcome.counts.sorted { $0.key < $1.key }.map { ($0.key, JSON.integer(Int64($0.value))) }
          return (
            outcome.step.rawValue,
            outcome.hasFailed ? .string(outcome.reason ?? "") : .object(JSON.Object(counts))
          )
        }))
    try await database.write(grows: false) { db, now in
      try db.execute(
        sql: """
          INSERT INTO maintenance (task, started_at, finished_at, outcome) VALUES ('all', ?1, ?2, ?3)
          ON CONFLICT (task) DO UPDATE SET started_at = ?1, finished_at = ?2, outcome = ?3
          """, arguments: [report.startedAt.milliseconds, now.milliseconds, outcome.canonicalText])
    }
  }

  // MARK: Steps

  private func perform(
    _ step: MaintenanceReport.Step, _ options: MaintenanceOptions, _ silence: Int64?,
    _ outcome: inout MaintenanceReport.Outcome
  ) async throws(MemoryError) {
    switch step {
    case .retention:
      let report = try await applyRetention(
        isDryRun: options.isDryRun, isAcceptingClock: options.isAcceptingClock)
      for (topic, count) in report.counts { outcome.counts[topic.rawValue] = count }
      outcome.reason = report.clockDoubt
    case .leases: outcome.counts = try await recoverLeases()
    case .runs:
      guard let silence else { return }
      outcome.counts["failed"] = try await failAbandoned(silentFor: silence)
    case .pages: outcome.counts["removed"] = try await boundPages()
    case .freePages: try await giveBackPages(isFull: options.isFull, &outcome)
    case .log: try await shrinkLog(&outcome)
    }
  }

  private func recoverLeases() async throws(MemoryError) -> [String: Int] {
    try await database.write(grows: false) { db, now in
      let open =
        "SELECT (SELECT count(*) FROM tasks WHERE status = 'in_progress'), "
        + "(SELECT count(*) FROM outbox WHERE status = 'sending')"
      let before = try Row.fetchOne(db, sql: open)
      try TaskQueue(db, now).recover()
      try OutboxQueue(db, now).recover()
      let after = try Row.fetchOne(db, sql: open)
      guard let before, let after else { return [:] }
      return [
        "tasks": try before.value(0) - after.value(0) as Int, "messages": try before.value(1) - after.value(1) as Int,
      ]
    }
  }

  /// Silent by the time that the guard of retention has counted: a clock that jumped ahead fails no run at once.
  private func failAbandoned(silentFor silence: Int64) async throws(MemoryError) -> Int {
    var count = 0
    while true {
      let limit = 1000
      let some = try await database.write(grows: false) { db, now in
        let clock = try RetentionClock.look(at: now, isAccepted: false, isDryRun: true, db)
        let time = (clock.isBelieved(forAge: .milliseconds(silence)) ? now : clock.counted)
          .adding(.milliseconds(-silence))
        return try RunEnding(db, now).failAbandoned(silentSince: time, limit: limit).count
      }
      count += some
      if some < limit { return count }
    }
  }

  static let leastUsedPages = "SELECT seq, size FROM pages ORDER BY last_accessed, seq LIMIT 64"

  private func boundPages() async throws(MemoryError) -> Int {
    let most = Int64(database.limits.pageBytes)
    let isExceeded = try await database.read { db in
      try Int64.fetchOne(db, sql: "SELECT bytes FROM page_bytes") ?? 0 > most
    }
    guard isExceeded else { return 0 }
    var count = 0
    while true {
      let some = try await database.write(grows: false) { db, _ in
        var excess = try (Int64.fetchOne(db, sql: "SELECT bytes FROM page_bytes") ?? 0) - most
        var removed = 0
        for row in try Row.fetchAll(db, sql: Self.leastUsedPages) where excess > 0 {
          try db.execute(sql: "DELETE FROM pages WHERE seq = ?", arguments: [try row.value(0) as Int64])
          excess -= try row.value(1)
          removed += 1
        }
        return removed
      }
      count += some
      if some == 0 { return count }
    }
  }

  // MARK: Files

  /// Free pages that a file keeps, 1 MiB: the next rows need them.
  private static let reserve = 256
  private static let pagesAtOnce = 256

  private func giveBackPages(
    isFull: Bool, _ outcome: inout MaintenanceReport.Outcome
  ) async throws(MemoryError) {
    do {
      if isFull, let files = database.stored.fileMaintenance {
        switch try await files.vacuum() {
        case .done(let bytes): outcome.counts["bytes"] = bytes
        case .busy: outcome.reason = "another process reads or writes the ledger; try again"
        }
        return
      }
      while true {
        let pages = try await database.stored.maintain { db in
          guard try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") == 2 else { return 0 }
          let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
          let all = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
          let pages = min(Self.pagesAtOnce, free - max(Self.reserve, all / 50))
          guard pages > 0 else { return 0 }
          try db.execute(sql: "PRAGMA incremental_vacuum(\(pages))")
          return pages
        }
        guard pages > 0 else { return }
        outcome.counts["pages", default: 0] += pages
        try await _Concurrency.Task.sleep(for: .milliseconds(2))
      }
    } catch {
      throw database.explained(error)
    }
  }

  private func shrinkLog(_ outcome: inout MaintenanceReport.Outcome) async throws(MemoryError) {
    guard let files = database.stored.fileMaintenance else { return }
    do {
      switch try await files.shrinkLog(longerThan: FileMaintenance.shortLog) {
      case .done(let bytes): outcome.counts["bytes"] = bytes
      case .busy: outcome.reason = "a reader keeps the log; the next commits shrink it"
      }
    } catch {
      throw database.explained(error)
    }
  }
}
