public import Foundation
public import StoreValues

// A window ends now; its beginning is not of it. What retention has removed or archived is in no report.

extension Ledger {
  /// Tasks that ended in a window, by category.
  ///
  /// - Parameter window: How far back.
  /// - Returns: The category with the most tasks first.
  public func categoryReport(over window: Duration = .seconds(30 * 86_400)) async throws(MemoryError)
    -> [CategoryReport]
  {
    let window = try self.window(window)
    return try await database.read { db in try TaskReportQuery.categories(window, db) }
  }

  /// What tasks did on each of the last days, today included, oldest first; days without any are in it.
  ///
  /// - Parameter days: 1 to 3660.
  /// - Parameter zone: Where the days begin.
  public func taskTrend(days: Int = 7, in zone: TimeZone = .gmt) async throws(MemoryError) -> [TaskDay] {
    let days = try ReportDays(days, in: zone, until: database.clock.now())
    return try await database.read { db in try TaskReportQuery.trend(days, db) }
  }

  /// How many tasks of each priority wait or are worked on, and how old the oldest one is that waits; urgent first.
  public func queueDepth() async throws(MemoryError) -> [QueueDepth] {
    let now = database.clock.now()
    return try await database.read { db in try TaskReportQuery.queue(at: now, db) }
  }

  /// Errors of a window by their type, the most frequent first: events of the level error or critical, or with a type of
  /// error.
  public func errorRates(over window: Duration = .seconds(86_400)) async throws(MemoryError) -> [ErrorRate] {
    let window = try self.window(window)
    return try await database.read { db in try ErrorReportQuery.rates(window, db) }
  }

  /// The people to whom the most errors of a window happened; of as many, by handle.
  ///
  /// - Parameter limit: 1 to `limits.results`.
  public func errorsByPerson(
    over window: Duration = .seconds(86_400), limit: Int = 20
  ) async throws(MemoryError) -> [PersonErrors] {
    try database.input.page(limit)
    let window = try self.window(window)
    return try await database.read { db in try ErrorReportQuery.ofPeople(window, limit: limit, db) }
  }

  /// What was spent in a window, the dearest first.
  ///
  /// Cost of a prompt counts from when it was made, that of a run from when it began.
  ///
  /// Cost: reads each prompt, tool call or run of the window along an index, about half a second for a million.
  ///
  /// - Parameter limit: 1 to `limits.results`.
  /// - Throws: `.limitExceeded` if a sum does not fit in 64 bits.
  public func costs(
    by dimension: Cost.Dimension, over window: Duration = .seconds(30 * 86_400), limit: Int = 100
  ) async throws(MemoryError) -> [Cost] {
    try database.input.page(limit)
    let window = try self.window(window)
    return try await database.read { db in try CostQuery.costs(by: dimension, window, limit: limit, db) }
  }

  /// What the prompts and tool calls of each of the last days cost, today included, oldest first; days without any are in it.
  ///
  /// Cost: as `costs(by:over:limit:)`.
  ///
  /// - Parameter days: 1 to 3660.
  /// - Parameter zone: Where the days begin.
  /// - Throws: `.limitExceeded` if a sum does not fit in 64 bits.
  public func costTrend(days: Int = 30, in zone: TimeZone = .gmt) async throws(MemoryError) -> [CostDay] {
    let days = try ReportDays(days, in: zone, until: database.clock.now())
    return try await database.read { db in try CostQuery.trend(days, db) }
  }

  /// How often a page that was asked for was there and fresh, by the whole hours that the window touches; and how many there
  /// are now.
  public func pageUse(over window: Duration = .seconds(86_400)) async throws(MemoryError) -> PageUse {
    let window = try self.window(window)
    return try await database.read { db in try StoreReportQuery.pageUse(window, db) }
  }

  /// How many rows each table has, by name.
  ///
  /// Cost: reads the smallest index of each table, about 10 ms for a million rows.
  public func tableSizes() async throws(MemoryError) -> [TableSize] {
    try await database.read { db in try StoreReportQuery.sizes(db) }
  }

  /// Rows that have lost what would have ended them, by kind; a kind without any has a count of 0.
  ///
  /// References to rows that are not there cannot come about: foreign keys forbid them, and a check finds damage.
  ///
  /// - Parameter silence: After which a run is one of `.silentRuns`.
  public func orphans(silentFor silence: Duration = .seconds(300)) async throws(MemoryError) -> [Orphans] {
    let now = database.clock.now()
    let silent = try ReportWindow(silence, until: now, database.input).start
    return try await database.read { db in
      try Orphans.Kind.allCases.map { try $0.orphans(at: now, silentSince: silent, db) }
    }
  }

  private func window(_ length: Duration) throws(MemoryError) -> ReportWindow {
    try ReportWindow(length, until: database.clock.now(), database.input)
  }
}
