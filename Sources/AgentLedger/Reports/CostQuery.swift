import GRDB
import StoreRows
import StoreValues

/// What was spent. Sums are checked by SQLite.
enum CostQuery {
  // Parameters: a time that is not of the window, and its end, which is.
  static let byModel = """
    SELECT model, sum(cost), count(*), sum(tokens_in), sum(tokens_out) FROM prompts
    WHERE created_at > ?1 AND created_at <= ?2 GROUP BY model
    """
  static let prompts = """
    SELECT sum(cost), count(*), sum(tokens_in), sum(tokens_out) FROM prompts WHERE created_at > ?1 AND created_at <= ?2
    """
  static let toolCalls = """
    SELECT sum(cost), count(*), sum(tokens) FROM tool_calls
    WHERE (cost > 0 OR tokens > 0) AND created_at > ?1 AND created_at <= ?2
    """
  static let byAgent = byRuns("agent_id")
  static let bySession = byRuns("session")
  static let byDomain = byRuns("domain")

  private static func byRuns(_ column: String) -> String {
    """
    SELECT \(column), sum(cost), count(*) FROM runs INDEXED BY runs_by_start WHERE started_at > ?1 AND started_at <= ?2
    GROUP BY \(column) ORDER BY sum(cost) DESC, \(column) LIMIT ?3
    """
  }

  static func costs(
    by dimension: Ledger.Cost.Dimension, _ window: ReportWindow, limit: Int, _ db: Database
  ) throws -> [Ledger.Cost] {
    try checked {
      switch dimension {
      case .model: try ofModels(window, limit: limit, db)
      case .agent:
        try ofRuns(byAgent, window, limit: limit, db).map { cost in
          guard let id = cost.name else { return cost }
          let name = try String.fetchOne(
            db.cachedStatement(sql: "SELECT name FROM agents WHERE id = ?"), arguments: [id])
          return Ledger.Cost(name: name ?? id, cost: cost.cost, count: cost.count, tokens: nil)
        }
      case .session: try ofRuns(bySession, window, limit: limit, db)
      case .domain: try ofRuns(byDomain, window, limit: limit, db)
      }
    }
  }

  static func trend(_ days: ReportDays, _ db: Database) throws -> [Ledger.CostDay] {
    try checked {
      try days.days.map { day in
        // The window leaves out its beginning, which is of the day, and has its end, which is not.
        let arguments: StatementArguments = [day.start.milliseconds - 1, day.end.milliseconds - 1]
        var (cost, tokens) = (CheckedSum(), CheckedSum())
        var count = 0
        if let row = try Row.fetchOne(db.cachedStatement(sql: prompts), arguments: arguments) {
          try cost.add(row.value(0))
          count = try row.value(1)
          try tokens.add(row.value(2))
          try tokens.add(row.value(3))
        }
        if let row = try Row.fetchOne(db.cachedStatement(sql: toolCalls), arguments: arguments) {
          try cost.add(row.value(0))
          try tokens.add(row.value(2))
        }
        return Ledger.CostDay(day: day.start, cost: cost.value, tokens: tokens.value, prompts: count)
      }
    }
  }

  private static func ofRuns(
    _ sql: String, _ window: ReportWindow, limit: Int, _ db: Database
  ) throws -> [Ledger.Cost] {
    try Row.fetchAll(db.cachedStatement(sql: sql), arguments: window.arguments + [limit]).map { row in
      Ledger.Cost(name: try row.value(0), cost: try row.value(1), count: try row.value(2), tokens: nil)
    }
  }

  /// Dearest first.
  private static func ofModels(_ window: ReportWindow, limit: Int, _ db: Database) throws -> [Ledger.Cost] {
    var costs: [String?: (cost: CheckedSum, count: Int, tokens: CheckedSum)] = [:]
    for row in try Row.fetchAll(db.cachedStatement(sql: byModel), arguments: window.arguments) {
      let model: String? = try row.value(0)
      var entry = costs[model] ?? (CheckedSum(), 0, CheckedSum())
      try entry.cost.add(row.value(1))
      entry.count += try row.value(2)
      try entry.tokens.add(row.value(3))
      try entry.tokens.add(row.value(4))
      costs[model] = entry
    }
    if let row = try Row.fetchOne(db.cachedStatement(sql: toolCalls), arguments: window.arguments) {
      let count: Int = try row.value(1)
      if count > 0 {
        var entry = costs[nil] ?? (CheckedSum(), 0, CheckedSum())
        try entry.cost.add(row.value(0))
        entry.count += count
        try entry.tokens.add(row.value(2))
        costs[String?.none] = entry
      }
    }
    let sorted = costs.map { name, entry in
      Ledger.Cost(name: name, cost: entry.cost.value, count: entry.count, tokens: entry.tokens.value)
    }.sorted { ($1.cost, $0.name ?? "") < ($0.cost, $1.name ?? "") }
    return Array(sorted.prefix(limit))
  }

  private static func checked<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as DatabaseError where error.message == "integer overflow" {
      throw CheckedSum.overflow
    }
  }
}

private struct CheckedSum {
  private(set) var value: Int64 = 0

  /// - Parameter other: `nil`: the sum of no rows.
  mutating func add(_ other: Int64?) throws {
    let (sum, overflow) = value.addingReportingOverflow(other ?? 0)
    guard !overflow else { throw Self.overflow }
    value = sum
  }

  static let overflow = MemoryError(
    .limitExceeded, "the costs or tokens of the report's window sum up to more than 2^63; ask for a shorter window")
}
