import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// Rows of `prompts`.
enum PromptRow {
  static let columns = """
    id, run_id, position, type, name, text, status, response, model, tokens_in, tokens_out, cost, latency_ms, error, \
    created_at, completed_at
    """
  static let byID = "SELECT \(columns) FROM prompts WHERE id = ?"
  /// Of a run, behind a position.
  static let ofRun = "SELECT \(columns) FROM prompts WHERE run_id = ? AND position > ? ORDER BY position LIMIT ?"

  static func prompt(_ row: Row) throws -> Ledger.Prompt {
    Ledger.Prompt(
      id: try row.id(0), run: try row.id(1), position: try row.value(2), type: try row.closed(3),
      name: try row.value(4), text: try row.text(5), status: try row.closed(6), response: try row.value(7),
      model: try row.value(8), tokensIn: try row.value(9), tokensOut: try row.value(10), cost: try row.value(11),
      latencyMilliseconds: try row.value(12), error: try row.value(13), createdAt: try row.time(14),
      completedAt: try row.time(ifAny: 15))
  }

  static func find(_ id: Ledger.Prompt.ID, _ db: Database) throws -> Ledger.Prompt? {
    try Row.fetchOne(db.cachedStatement(sql: byID), arguments: [id.rawValue]).map(prompt)
  }

  /// - Throws: `.notFound`.
  static func stored(_ id: Ledger.Prompt.ID, _ db: Database) throws -> Ledger.Prompt {
    guard let prompt = try find(id, db) else { throw MemoryError.noPrompt(id) }
    return prompt
  }

  static func page(
    of run: Ledger.Run.ID, after position: Int, limit: Int, _ db: Database
  ) throws -> [Ledger.Prompt] {
    try Row.fetchAll(db.cachedStatement(sql: ofRun), arguments: [run.rawValue, position, limit]).map(prompt)
  }

  /// The run of a prompt; `nil` if there is none.
  static func run(of id: Ledger.Prompt.ID, _ db: Database) throws -> Ledger.Run.ID? {
    let statement = try db.cachedStatement(sql: "SELECT run_id FROM prompts WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map { try $0.id(0) }
  }

  // MARK: By status

  /// Oldest first. The statuses of the index by which it is read are those that call for something to be done.
  static func withStatus(behind place: Bool) -> String {
    """
    SELECT \(columns) FROM prompts WHERE status = ? AND status IN ('pending', 'streaming', 'failed')\
    \(place ? " AND (created_at, seq) > (?, ?)" : "") ORDER BY created_at, seq LIMIT ?
    """
  }

  static func place(of id: Ledger.Prompt.ID, _ db: Database) throws -> (Int64, Int64) {
    let statement = try db.cachedStatement(sql: "SELECT created_at, seq FROM prompts WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [id.rawValue]) else { throw MemoryError.noPrompt(id) }
    return (try row.value(0), try row.value(1))
  }

  // MARK: Inserting

  private static let insertion = RowInsert(into: "prompts", columns)

  static func insert(_ prompts: [Ledger.Prompt], _ db: Database) throws {
    try insertion(prompts, db) { prompt, row in
      try row.bind(prompt.id.rawValue)
      try row.bind(prompt.run.rawValue)
      try row.bind(Int64(prompt.position))
      try row.bind(prompt.type.rawValue)
      try row.bind(prompt.name)
      try row.bind(prompt.text)
      try row.bind(prompt.status.rawValue)
      try row.bind(prompt.response)
      try row.bind(prompt.model)
      try row.bind(Int64(prompt.tokensIn))
      try row.bind(Int64(prompt.tokensOut))
      try row.bind(prompt.cost)
      try row.bind(prompt.latencyMilliseconds)
      try row.bind(prompt.error)
      try row.bind(prompt.createdAt.milliseconds)
      try row.bind(prompt.completedAt?.milliseconds)
    }
  }
}

extension MemoryError {
  static func noPrompt(_ id: Ledger.Prompt.ID) -> MemoryError {
    MemoryError(.notFound, "no prompt \"\(id)\"; look for its id with entries(of:after:limit:)")
  }
}
