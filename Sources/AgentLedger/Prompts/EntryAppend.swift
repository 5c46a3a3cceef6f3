import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// A request to add prompts and tool calls to one run.
struct EntryAppend: Sendable {
  let entries: [NewEntry]
  let run: Ledger.Run.ID

  /// Requests that share a commit share INSERT statements too.
  static func batch(_ database: LedgerDatabase) -> BatchedWrite<EntryAppend, [Ledger.Entry]> {
    let limit = database.limits.entriesPerRun
    return database.batch { appends, db, now in
      var insertion = EntryInsertion(db, now, entriesPerRun: limit)
      let results = try appends.map { append in
        do {
          return Result<[Ledger.Entry], any Error>.success(try insertion.add(append))
        } catch let error as MemoryError where error.code != .corrupted {
          return .failure(error)
        }
      }
      try insertion.write()
      return results
    }
  }
}

/// What the requests of one commit add.
private struct EntryInsertion {
  private let db: Database
  private let now: Timestamp
  private let entriesPerRun: Int
  private var runs: [Ledger.Run.ID: RunProgress] = [:]
  private var added = Added()

  /// Not in the tables yet.
  private struct Added {
    var prompts: [Ledger.Prompt] = []
    var calls: [(call: Ledger.ToolCall, arguments: String)] = []
    /// With ids of the caller, and their runs.
    var namedPrompts: [Ledger.Prompt.ID: Ledger.Run.ID] = [:]
    var namedCalls: Set<Ledger.ToolCall.ID> = []
  }

  init(_ db: Database, _ now: Timestamp, entriesPerRun: Int) {
    (self.db, self.now, self.entriesPerRun) = (db, now, entriesPerRun)
  }

  /// - Throws: Why the request is refused; then nothing of it is written.
  mutating func add(_ append: EntryAppend) throws -> [Ledger.Entry] {
    var progress = try runs[append.run] ?? RunProgress(of: append.run, db)
    try progress.requireLiving()
    let (prompts, calls) = (added.prompts.count, added.calls.count)
    var names: [Ledger.Prompt.ID] = []
    var callNames: [Ledger.ToolCall.ID] = []
    do {
      var entries: [Ledger.Entry] = []
      entries.reserveCapacity(append.entries.count)
      for entry in append.entries {
        try progress.add(cost: entry.cost)
        let position = try progress.nextPosition(atMost: entriesPerRun)
        switch entry {
        case .prompt(let new):
          if let id = new.draft.id {
            try refuseTaken(id)
            added.namedPrompts[id] = append.run
            names.append(id)
          }
          let prompt = new.prompt(of: append.run, position: position, at: now)
          added.prompts.append(prompt)
          entries.append(.prompt(prompt))
        case .toolCall(let new):
          if let prompt = new.draft.prompt { try require(prompt, in: append.run) }
          if let id = new.draft.id {
            try refuseTaken(id)
            added.namedCalls.insert(id)
            callNames.append(id)
          }
          let call = new.call(of: append.run, position: position, at: now)
          added.calls.append((call, new.arguments))
          entries.append(.toolCall(call))
        }
      }
      runs[append.run] = progress
      return entries
    } catch {
      added.prompts.removeSubrange(prompts...)
      added.calls.removeSubrange(calls...)
      for id in names { added.namedPrompts[id] = nil }
      for id in callNames { added.namedCalls.remove(id) }
      throw error
    }
  }

  private func refuseTaken(_ id: Ledger.Prompt.ID) throws {
    guard try added.namedPrompts[id] != nil || PromptRow.run(of: id, db) != nil else { return }
    throw MemoryError(.conflict, "there is a prompt \"\(id)\" already; leave the id to the ledger")
  }

  private func refuseTaken(_ id: Ledger.ToolCall.ID) throws {
    guard try added.namedCalls.contains(id) || ToolCallRow.find(id, db) != nil else { return }
    throw MemoryError(.conflict, "there is a tool call \"\(id)\" already; leave the id to the ledger")
  }

  private func require(_ prompt: Ledger.Prompt.ID, in run: Ledger.Run.ID) throws {
    guard let owner = try added.namedPrompts[prompt] ?? PromptRow.run(of: prompt, db) else {
      throw MemoryError.noPrompt(prompt)
    }
    guard owner == run else {
      throw MemoryError(
        .conflict, "prompt \"\(prompt)\" is of run \"\(owner)\"; a tool call of run \"\(run)\" names one of its own")
    }
  }

  /// Prompts first: tool calls refer to them.
  mutating func write() throws {
    try PromptRow.insert(added.prompts, db)
    try ToolCallRow.insert(added.calls, db)
    for run in runs.keys { try runs[run]?.noteHeartbeat(at: now, db) }
  }
}
