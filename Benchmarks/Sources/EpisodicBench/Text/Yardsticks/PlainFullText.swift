import GRDBSQLite

/// The full-text index of a store that the library made, asked in plain SQL: every match is ranked, the best ten stay.
final class PlainFullText {
  private let connection: PlainConnection
  private let everywhere: OpaquePointer?
  private let byTaskType: OpaquePointer?
  private let byDomain: OpaquePointer?

  /// - Throws: Where the rows of the store are not its episodes by number.
  init(store: String) throws {
    connection = try PlainConnection(path: store + "/memory.sqlite", flags: SQLITE_OPEN_READONLY)
    try connection.execute("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY")
    everywhere = try connection.prepare(
      """
      SELECT rowid, bm25(episodes_text) FROM episodes_text
      WHERE episodes_text MATCH ? ORDER BY bm25(episodes_text) LIMIT 10
      """)
    byTaskType = try connection.prepare(Self.filtered(by: "task_type"))
    byDomain = try connection.prepare(Self.filtered(by: "domain"))
    let strangers = try connection.prepare(
      "SELECT count(*) FROM episodes WHERE CAST(substr(id, 2) AS INTEGER) + 1 <> seq")
    defer { sqlite3_reset(strangers) }
    guard sqlite3_step(strangers) == SQLITE_ROW, sqlite3_column_int64(strangers, 0) == 0 else {
      throw BenchError("\(store) holds episodes that are not those of the benchmark")
    }
  }

  private static func filtered(by column: String) -> String {
    """
    SELECT e.seq, bm25(episodes_text) FROM episodes_text CROSS JOIN episodes e ON e.seq = episodes_text.rowid
    WHERE episodes_text MATCH ? AND e.\(column) = ? ORDER BY bm25(episodes_text) LIMIT 10
    """
  }

  /// - Returns: At most ten, best first.
  func best(_ question: Question) throws -> [RankedRow] {
    switch question.filter {
    case nil: try best(question, everywhere)
    case .taskType: try best(question, byTaskType, Portion.tenth.name)
    case .domain: try best(question, byDomain, Portion.hundredth.name)
    }
  }

  private func best(_ question: Question, _ statement: OpaquePointer?, _ filter: String) throws -> [RankedRow] {
    try connection.binding(filter, at: 2, of: statement) { try best(question, statement) }
  }

  private func best(_ question: Question, _ statement: OpaquePointer?) throws -> [RankedRow] {
    try connection.binding(question.expression, at: 1, of: statement) {
      defer { sqlite3_reset(statement) }
      var rows: [RankedRow] = []
      while true {
        switch sqlite3_step(statement) {
        case SQLITE_ROW:
          let row = Int(sqlite3_column_int64(statement, 0))
          rows.append(RankedRow(number: row - 1, score: -sqlite3_column_double(statement, 1)))
        case SQLITE_DONE: return rows
        default: throw connection.error
        }
      }
    }
  }
}
