import GRDB
import StoreRows
import StoreValues

/// Rows of `agents`.
enum AgentRow {
  static let columns = "id, name, type, capabilities, default_model, created_at, updated_at"
  static let byID = "SELECT \(columns) FROM agents WHERE id = ?"
  static let byName = "SELECT \(columns) FROM agents WHERE name = ?"

  static func agent(_ row: Row) throws -> Ledger.Agent {
    let capabilities = try row.json(3)
    guard case .array(let names) = capabilities else {
      throw MemoryError(.corrupted, "the ledger holds an agent's capabilities that are no array; restore a backup")
    }
    return Ledger.Agent(
      id: try row.id(0), name: try row.text(1), type: try row.closed(2),
      capabilities: names.map { name in
        if case .string(let text) = name { text } else { name.canonicalText }
      }, defaultModel: try row.value(4), createdAt: try row.time(5), updatedAt: try row.time(6))
  }

  static func find(_ id: Ledger.Agent.ID, _ db: Database) throws -> Ledger.Agent? {
    try Row.fetchOne(db.cachedStatement(sql: byID), arguments: [id.rawValue]).map(agent)
  }

  static func find(named name: String, _ db: Database) throws -> Ledger.Agent? {
    try Row.fetchOne(db.cachedStatement(sql: byName), arguments: [name]).map(agent)
  }

  /// - Throws: `.notFound`.
  static func stored(_ id: Ledger.Agent.ID, _ db: Database) throws -> Ledger.Agent {
    guard let agent = try find(id, db) else {
      throw MemoryError(.notFound, "no agent \"\(id)\"; add it first, or look for it with agents(_:after:limit:)")
    }
    return agent
  }

  /// - Throws: `.conflict` if another agent has the name.
  static func refuseTaken(_ name: String, by id: Ledger.Agent.ID?, _ db: Database) throws {
    guard let other = try find(named: name, db), other.id != id else { return }
    throw MemoryError(
      .conflict,
      "agent \"\(other.id)\" has the name \"\(name.shortened(to: 60))\" already; choose another, or update it")
  }
}

/// An agent's fields that have been checked, as they are stored.
struct AgentFields: Sendable {
  let name: String
  let type: Ledger.Agent.Kind
  let capabilities: String
  let defaultModel: String?

  init(
    name: String, type: Ledger.Agent.Kind, capabilities: [String], defaultModel: String?, _ input: LedgerInput
  ) throws(MemoryError) {
    try input.name(name, "the agent's name")
    try input.name(defaultModel, "the agent's defaultModel")
    for capability in capabilities { try input.name(capability, "a capability of the agent") }
    self.capabilities = try input.json(.array(capabilities.map(JSON.string)), "the agent's capabilities")
    (self.name, self.type, self.defaultModel) = (name.canonicallyComposed, type, defaultModel?.canonicallyComposed)
  }

  func insert(_ id: Ledger.Agent.ID, at now: Timestamp, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO agents (id, name, type, capabilities, default_model, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
        """
    ).execute(arguments: [id.rawValue, name, type.rawValue, capabilities, defaultModel, now.milliseconds])
  }

  func update(_ id: Ledger.Agent.ID, at now: Timestamp, _ db: Database) throws {
    try db.cachedStatement(
      sql: "UPDATE agents SET name = ?, type = ?, capabilities = ?, default_model = ?, updated_at = ? WHERE id = ?"
    ).execute(arguments: [name, type.rawValue, capabilities, defaultModel, now.milliseconds, id.rawValue])
  }
}
