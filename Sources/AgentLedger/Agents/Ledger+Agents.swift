import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Adds an agent.
  ///
  /// - Throws: `.conflict` if its name or id is taken; `.invalid`, `.limitExceeded`.
  @discardableResult
  public func add(_ draft: Agent.Draft) async throws(MemoryError) -> Agent {
    let input = database.input
    try input.identifier(draft.id, "the agent's id")
    let fields = try AgentFields(
      name: draft.name, type: draft.type, capabilities: draft.capabilities, defaultModel: draft.defaultModel, input)
    return try await database.write { db, now in
      try AgentRow.refuseTaken(fields.name, by: nil, db)
      if let id = draft.id, try AgentRow.find(id, db) != nil {
        throw MemoryError(.conflict, "there is an agent \"\(id)\" already; leave the id to the ledger")
      }
      let id = draft.id ?? .generate(at: now)
      try fields.insert(id, at: now, db)
      return try AgentRow.stored(id, db)
    }
  }

  /// Changes an agent; its runs stay its own.
  ///
  /// - Throws: `.notFound`; `.conflict` if another one has the new name; `.invalid`, `.limitExceeded`.
  @discardableResult
  public func update(_ id: Agent.ID, with change: Agent.Change) async throws(MemoryError) -> Agent {
    let input = database.input
    return try await database.write { db, now in
      let agent = try AgentRow.stored(id, db)
      let fields = try AgentFields(
        name: change.name ?? agent.name, type: change.type ?? agent.type,
        capabilities: change.capabilities ?? agent.capabilities,
        defaultModel: change.defaultModel ?? agent.defaultModel, input)
      try AgentRow.refuseTaken(fields.name, by: id, db)
      try fields.update(id, at: now, db)
      return try AgentRow.stored(id, db)
    }
  }

  /// The agent with an id; `nil` if there is none.
  public func agent(_ id: Agent.ID) async throws(MemoryError) -> Agent? {
    try await database.read { db in try AgentRow.find(id, db) }
  }

  /// The agent with a name; `nil` if there is none.
  public func agent(named name: String) async throws(MemoryError) -> Agent? {
    let name = name.canonicallyComposed
    return try await database.read { db in try AgentRow.find(named: name, db) }
  }

  /// Agents by name, in the order of the bytes of their names.
  ///
  /// - Parameter type: `nil` for any.
  /// - Parameter last: The name of the last one of the page before; `nil` for the first page.
  /// - Parameter limit: 1 to `limits.results`.
  public func agents(
    _ type: Agent.Kind? = nil, after last: String? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [Agent] {
    try database.input.page(limit)
    let last = last?.canonicallyComposed
    return try await database.read { db in
      var conditions = RowConditions()
      conditions.add("type = ?", type?.rawValue)
      conditions.add("name > ?", last)
      return try Row.fetchAll(
        db, sql: "SELECT \(AgentRow.columns) FROM agents \(conditions.clause) ORDER BY name LIMIT ?",
        arguments: conditions.arguments + [limit]
      ).map(AgentRow.agent)
    }
  }

  /// Removes an agent; its runs stay, and are nobody's.
  ///
  /// - Throws: `.notFound`.
  public func remove(agent id: Agent.ID) async throws(MemoryError) {
    try await database.write(grows: false) { db, now in
      _ = try AgentRow.stored(id, db)
      try db.execute(sql: "DELETE FROM agents WHERE id = ?", arguments: [id.rawValue])
    }
  }
}
