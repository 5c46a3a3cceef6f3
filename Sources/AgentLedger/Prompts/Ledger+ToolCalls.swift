import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Adds a tool call to a run, behind what the run has done so far.
  ///
  /// - Throws: `.notFound` if there is no such run or prompt; `.conflict` if the run has ended, the prompt is of another one or the
  ///   id is taken; `.limitExceeded` if it has too many or its cost no room; `.invalid`.
  @discardableResult
  public func add(_ draft: ToolCall.Draft, to run: Run.ID) async throws(MemoryError) -> ToolCall {
    guard let call = try await add([draft], to: run).first else { throw MemoryError.nothingAdded }
    return call
  }

  /// Adds tool calls to a run in one commit, or none of them.
  @discardableResult
  public func add(_ drafts: [ToolCall.Draft], to run: Run.ID) async throws(MemoryError) -> [ToolCall] {
    try await add(drafts.map(Entry.Draft.toolCall), to: run).compactMap { entry in
      if case .toolCall(let call) = entry { call } else { nil }
    }
  }

  /// The tool call with an id; `nil` if there is none.
  public func toolCall(_ id: ToolCall.ID) async throws(MemoryError) -> ToolCall? {
    try await database.read { db in try ToolCallRow.find(id, db) }
  }

  /// Tool calls of a run, in their order.
  ///
  /// - Parameter position: Of the last one of the page before; 0 for the first page.
  public func toolCalls(
    of run: Run.ID, after position: Int = 0, limit: Int = 100
  ) async throws(MemoryError) -> [ToolCall] {
    try database.input.page(limit)
    return try await database.read { db in try ToolCallRow.page(of: run, after: position, limit: limit, db) }
  }

  /// Tool calls that the response to a prompt asked for, in their order.
  public func toolCalls(ofPrompt prompt: Prompt.ID, limit: Int = 100) async throws(MemoryError) -> [ToolCall] {
    try database.input.page(limit)
    return try await database.read { db in
      try Row.fetchAll(db.cachedStatement(sql: ToolCallRow.ofPrompt), arguments: [prompt.rawValue, limit])
        .map(ToolCallRow.call)
    }
  }
}
