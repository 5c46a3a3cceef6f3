import GRDB
import StoreRows
import StoreValues

/// What is known of a prompt at its end, checked.
struct PromptEnding: Sendable {
  private let status: Ledger.Prompt.Status
  private let outcome: Ledger.Prompt.Outcome
  private let error: String?
  private let milliseconds: Int64?

  init(
    _ status: Ledger.Prompt.Status, _ outcome: Ledger.Prompt.Outcome, error: String?, _ input: LedgerInput
  ) throws(MemoryError) {
    guard status.isEnded else {
      throw MemoryError(
        .invalid, "\(status.rawValue) does not end a prompt; finish it as completed, failed or cancelled")
    }
    if error != nil, status == .completed {
      throw MemoryError(
        .invalid, "the prompt is completed and has an error; leave the error out, or finish it as failed")
    }
    try input.prompt(outcome.response, "the prompt's response")
    try input.name(outcome.model, "the prompt's model")
    try input.count(outcome.tokensIn, "the prompt's tokensIn")
    try input.count(outcome.tokensOut, "the prompt's tokensOut")
    try input.count(outcome.cost, "the prompt's cost")
    try input.text(error, "the prompt's error")
    milliseconds = try input.milliseconds(outcome.latency, "the prompt's latency")
    (self.status, self.outcome, self.error) = (status, outcome, error)
  }

  /// A trigger joins the parts of a response that streamed.
  ///
  /// - Throws: `.notFound`; `.conflict` if it has ended; `.limitExceeded` if the run's cost has no room.
  func write(to id: Ledger.Prompt.ID, at now: Timestamp, _ db: Database) throws -> Ledger.Prompt {
    let prompt = try PromptRow.stored(id, db)
    guard !prompt.status.isEnded else {
      throw MemoryError(
        .conflict,
        "prompt \"\(id)\" is \(prompt.status.rawValue) and cannot become \(status.rawValue); add another prompt")
    }
    var progress = try RunProgress(of: prompt.run, db)
    if let cost = outcome.cost { try progress.add(cost: cost, removing: prompt.cost) }
    let elapsed = max(0, now.milliseconds - prompt.createdAt.milliseconds)
    try db.cachedStatement(
      sql: """
        UPDATE prompts SET status = ?1, response = coalesce(?2, response), model = coalesce(?3, model),
            tokens_in = coalesce(?4, tokens_in), tokens_out = coalesce(?5, tokens_out), cost = coalesce(?6, cost),
            latency_ms = ?7, error = ?8, completed_at = ?9
        WHERE id = ?10
        """
    ).execute(arguments: [
      status.rawValue, outcome.response, outcome.model?.canonicallyComposed, outcome.tokensIn, outcome.tokensOut,
      outcome.cost, milliseconds ?? elapsed, error, now.milliseconds, id.rawValue,
    ])
    try progress.noteHeartbeat(at: now, db)
    return try PromptRow.stored(id, db)
  }

  static func begin(_ id: Ledger.Prompt.ID, at now: Timestamp, _ db: Database) throws -> Ledger.Prompt {
    let prompt = try PromptRow.stored(id, db)
    guard prompt.status == .pending else {
      let remedy = prompt.status == .streaming ? "append to it" : "add another prompt"
      throw MemoryError(
        .conflict, "prompt \"\(id)\" is \(prompt.status.rawValue), so no response begins; \(remedy)")
    }
    try db.cachedStatement(sql: "UPDATE prompts SET status = 'streaming' WHERE id = ?")
      .execute(arguments: [id.rawValue])
    var progress = try RunProgress(of: prompt.run, db)
    try progress.noteHeartbeat(at: now, db)
    return try PromptRow.stored(id, db)
  }
}
