import GRDB
import StoreRows
import StoreValues

/// Reports about tasks.
enum TaskReportQuery {
  private static let ends = """
    count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed'), \
    count(*) FILTER (WHERE status = 'cancelled')
    """
  /// A clock that was set back makes no negative times.
  private static let meanTime = "avg(max(0, completed_at - started_at)) FILTER (WHERE status <> 'cancelled')"

  // MARK: Categories

  // Each category is read along its part of the index: to group a window's rows, SQLite would sort them.

  /// Parameter: the category before; `''` for the first.
  static let nextCategory = "SELECT min(category) FROM tasks WHERE completed_at IS NOT NULL AND category > ?1"
  /// Parameters: the category, the window's beginning and end.
  static let ofCategory = """
    SELECT \(ends), avg(complexity), \(meanTime) FROM tasks
    WHERE category IS ?1 AND completed_at > ?2 AND completed_at <= ?3
    """

  static func categories(_ window: ReportWindow, _ db: Database) throws -> [Ledger.CategoryReport] {
    var reports = try [category(nil, window, db)]
    var last = ""
    while let name = try String.fetchOne(db.cachedStatement(sql: nextCategory), arguments: [last]) {
      reports.append(try category(name, window, db))
      last = name
    }
    return reports.compactMap(\.self).sorted {
      ($1.count, $0.category?.rawValue ?? "") < ($0.count, $1.category?.rawValue ?? "")
    }
  }

  private static func category(_ name: String?, _ window: ReportWindow, _ db: Database) throws -> Ledger.CategoryReport?
  {
    let statement = try db.cachedStatement(sql: ofCategory)
    guard let row = try Row.fetchOne(statement, arguments: [name] + window.arguments) else { return nil }
    let report = Ledger.CategoryReport(
      category: name.map(Ledger.Task.Category.init(rawValue:)), completed: try row.value(0), failed: try row.value(1),
      cancelled: try row.value(2), meanComplexity: try row.value(3), meanMilliseconds: try row.value(4))
    return report.count == 0 ? nil : report
  }

  // MARK: Days

  /// Parameters: the day's beginning, and its end, which is not of it.
  static let ended =
    "SELECT \(ends), \(meanTime) FROM tasks WHERE completed_at >= ?1 AND completed_at < ?2"
  /// Every status is named so that the index by status and time of addition serves.
  static let added = """
    SELECT count(*) FROM tasks WHERE status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')
        AND created_at >= ?1 AND created_at < ?2
    """

  static func trend(_ days: ReportDays, _ db: Database) throws -> [Ledger.TaskDay] {
    try days.days.map { day in
      let added = try Int.fetchOne(db.cachedStatement(sql: added), arguments: day.arguments) ?? 0
      guard let row = try Row.fetchOne(db.cachedStatement(sql: ended), arguments: day.arguments) else {
        return Ledger.TaskDay(
          day: day.start, added: added, completed: 0, failed: 0, cancelled: 0, meanMilliseconds: nil)
      }
      return Ledger.TaskDay(
        day: day.start, added: added, completed: try row.value(0), failed: try row.value(1),
        cancelled: try row.value(2),
        meanMilliseconds: try row.value(3))
    }
  }

  // MARK: Queue

  static let ready = """
    SELECT priority, count(*), min(created_at) FROM tasks INDEXED BY tasks_next
    WHERE status = 'pending' AND is_ready = 1 GROUP BY priority
    """
  /// Those whose time has come and that the next claim wakes are ready. Parameters: now.
  static let delayed = """
    SELECT priority, count(*) FILTER (WHERE not_before <= ?1), min(created_at) FILTER (WHERE not_before <= ?1),
        count(*) FILTER (WHERE not_before > ?1)
    FROM tasks INDEXED BY tasks_delayed WHERE status = 'pending' AND is_ready = 0 GROUP BY priority
    """
  static let inProgress = """
    SELECT priority, count(*) FROM tasks INDEXED BY tasks_leased WHERE status = 'in_progress' GROUP BY priority
    """

  static func queue(at now: Timestamp, _ db: Database) throws -> [Ledger.QueueDepth] {
    var (ready, oldest, delayed, working) = ([Int: Int](), [Int: Int64](), [Int: Int](), [Int: Int]())
    for row in try Row.fetchAll(db.cachedStatement(sql: Self.ready)) {
      let priority: Int = try row.value(0)
      ready[priority] = try row.value(1)
      oldest[priority] = try row.value(2)
    }
    for row in try Row.fetchAll(db.cachedStatement(sql: Self.delayed), arguments: [now.milliseconds]) {
      let (priority, woken): (Int, Int) = (try row.value(0), try row.value(1))
      let since: Int64? = try row.value(2)
      ready[priority, default: 0] += woken
      if let since { oldest[priority] = min(oldest[priority] ?? since, since) }
      delayed[priority] = try row.value(3)
    }
    for row in try Row.fetchAll(db.cachedStatement(sql: Self.inProgress)) {
      working[try row.value(0)] = try row.value(1) as Int
    }
    return Ledger.Task.Priority.allCases.map { priority in
      let (number, since) = (priority.rawValue, oldest[priority.rawValue])
      let age = since.map { since in
        let (age, overflow) = now.milliseconds.subtractingReportingOverflow(since)
        return overflow ? (since < 0 ? Int64.max : 0) : max(0, age)
      }
      return Ledger.QueueDepth(
        priority: priority, ready: ready[number] ?? 0, delayed: delayed[number] ?? 0, inProgress: working[number] ?? 0,
        oldestAt: since.map(Timestamp.init(milliseconds:)), oldestMilliseconds: age)
    }
  }
}
