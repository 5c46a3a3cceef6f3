import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// Rows of `tool_calls`.
enum ToolCallRow {
  static let columns = """
    id, run_id, prompt_id, position, tool, arguments, result, success, error, duration_ms, tokens, cost, created_at
    """
  static let byID = "SELECT \(columns) FROM tool_calls WHERE id = ?"
  /// Of a run, behind a position.
  static let ofRun = "SELECT \(columns) FROM tool_calls WHERE run_id = ? AND position > ? ORDER BY position LIMIT ?"
  static let ofPrompt = "SELECT \(columns) FROM tool_calls WHERE prompt_id = ? ORDER BY seq LIMIT ?"

  static func call(_ row: Row) throws -> Ledger.ToolCall {
    Ledger.ToolCall(
      id: try row.id(0), run: try row.id(1), prompt: try row.id(ifAny: 2), position: try row.value(3),
      tool: try row.text(4), arguments: try row.json(5), result: try row.value(6), success: try row.value(7),
      error: try row.value(8), durationMilliseconds: try row.value(9), tokens: try row.value(10),
      cost: try row.value(11), createdAt: try row.time(12))
  }

  static func find(_ id: Ledger.ToolCall.ID, _ db: Database) throws -> Ledger.ToolCall? {
    try Row.fetchOne(db.cachedStatement(sql: byID), arguments: [id.rawValue]).map(call)
  }

  static func page(
    of run: Ledger.Run.ID, after position: Int, limit: Int, _ db: Database
  ) throws -> [Ledger.ToolCall] {
    try Row.fetchAll(db.cachedStatement(sql: ofRun), arguments: [run.rawValue, position, limit]).map(call)
  }

  private static let insertion = RowInsert(into: "tool_calls", columns)

  static func insert(_ calls: [(call: Ledger.ToolCall, arguments: String)], _ db: Database) throws {
    try insertion(calls, db) { new, row in
      let call = new.call
      try row.bind(call.id.rawValue)
      try row.bind(call.run.rawValue)
      try row.bind(call.prompt?.rawValue)
      try row.bind(Int64(call.position))
      try row.bind(call.tool)
      try row.bind(new.arguments)
      try row.bind(call.result)
      try row.bind(call.success.map { $0 ? 1 : 0 as Int64 })
      try row.bind(call.error)
      try row.bind(call.durationMilliseconds)
      try row.bind(Int64(call.tokens))
      try row.bind(call.cost)
      try row.bind(call.createdAt.milliseconds)
    }
  }
}
