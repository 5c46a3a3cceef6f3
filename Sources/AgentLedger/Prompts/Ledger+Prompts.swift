import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Adds a prompt to a run, behind what the run has done so far.
  ///
  /// - Throws: `.notFound` if there is no such run; `.conflict` if it has ended or the id is taken; `.limitExceeded` if it has too
  ///   many or its cost no room; `.invalid`.
  @discardableResult
  public func add(_ draft: Prompt.Draft, to run: Run.ID) async throws(MemoryError) -> Prompt {
    guard let prompt = try await add([draft], to: run).first else { throw MemoryError.nothingAdded }
    return prompt
  }

  /// Adds prompts to a run in one commit, or none of them.
  ///
  /// Cost: 32 rows a statement; concurrent calls share a commit.
  @discardableResult
  public func add(_ drafts: [Prompt.Draft], to run: Run.ID) async throws(MemoryError) -> [Prompt] {
    try await add(drafts.map(Entry.Draft.prompt), to: run).compactMap { entry in
      if case .prompt(let prompt) = entry { prompt } else { nil }
    }
  }

  /// Adds prompts and tool calls to a run in one commit, or none of them; a tool call may name a prompt before it.
  ///
  /// - Returns: An entry for each draft, in order.
  @discardableResult
  public func add(_ drafts: [Entry.Draft], to run: Run.ID) async throws(MemoryError) -> [Entry] {
    let input = database.input
    try input.batch(drafts.count, "prompts and tool calls")
    let entries = try drafts.map { (draft) throws(MemoryError) in try NewEntry(draft, input) }
    return try await database.write(EntryAppend(entries: entries, run: run), in: appends.entries)
  }

  /// The prompt with an id; `nil` if there is none.
  public func prompt(_ id: Prompt.ID) async throws(MemoryError) -> Prompt? {
    try await database.read { db in try PromptRow.find(id, db) }
  }

  /// Prompts and tool calls of a run, in their order.
  ///
  /// - Parameter position: Of the last one of the page before; 0 for the first page.
  /// - Parameter limit: 1 to `limits.results`.
  /// - Returns: None if there is no such run.
  public func entries(
    of run: Run.ID, after position: Int = 0, limit: Int = 100
  ) async throws(MemoryError) -> [Entry] {
    try database.input.page(limit)
    return try await database.read { db in
      let prompts = try PromptRow.page(of: run, after: position, limit: limit, db).map(Entry.prompt)
      let calls = try ToolCallRow.page(of: run, after: position, limit: limit, db).map(Entry.toolCall)
      return Array((prompts + calls).sorted { $0.position < $1.position }.prefix(limit))
    }
  }

  /// Prompts of a run, in their order.
  ///
  /// - Parameter position: Of the last one of the page before; 0 for the first page.
  public func prompts(
    of run: Run.ID, after position: Int = 0, limit: Int = 100
  ) async throws(MemoryError) -> [Prompt] {
    try database.input.page(limit)
    return try await database.read { db in try PromptRow.page(of: run, after: position, limit: limit, db) }
  }

  /// Prompts that are pending, stream or have failed, oldest first.
  ///
  /// - Parameter last: The last one of the page before; `nil` for the first page.
  /// - Throws: `.invalid` for another status; `.notFound` if the last one is not there any more.
  public func prompts(
    _ status: Prompt.Status, after last: Prompt.ID? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [Prompt] {
    try database.input.page(limit)
    guard [.pending, .streaming, .failed].contains(status) else {
      throw MemoryError(
        .invalid,
        "prompts are listed that are pending, streaming or failed, not \(status.rawValue); list those of a run")
    }
    return try await database.read { db in
      var arguments: StatementArguments = [status.rawValue]
      if let last {
        let (created, seq) = try PromptRow.place(of: last, db)
        arguments += [created, seq]
      }
      return try Row.fetchAll(
        db.cachedStatement(sql: PromptRow.withStatus(behind: last != nil)), arguments: arguments + [limit]
      ).map(PromptRow.prompt)
    }
  }
}

extension MemoryError {
  /// A write that returned less than it was given.
  static var nothingAdded: MemoryError {
    MemoryError(.unavailable, "the ledger returned nothing for what was added; report this")
  }
}
