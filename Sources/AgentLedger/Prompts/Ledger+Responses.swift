import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Begins a response that comes in parts.
  ///
  /// - Throws: `.conflict` if the prompt is not pending; `.notFound`.
  @discardableResult
  public func beginResponse(to prompt: Prompt.ID) async throws(MemoryError) -> Prompt {
    try await database.write(grows: false) { db, now in try PromptEnding.begin(prompt, at: now, db) }
  }

  /// Appends a part to a response that streams; nothing that came before is written again.
  ///
  /// - Throws: `.conflict` if it does not stream; `.limitExceeded` beyond `limits.promptBytes` in all; `.notFound`; `.invalid`.
  public func append(_ part: String, toResponseOf prompt: Prompt.ID) async throws(MemoryError) {
    try await append([part], toResponseOf: prompt)
  }

  /// Appends parts to a response that streams, in one commit.
  public func append(_ parts: [String], toResponseOf prompt: Prompt.ID) async throws(MemoryError) {
    let input = database.input
    try input.batch(parts.count, "parts")
    for part in parts { try input.prompt(part, "a part of the response") }
    try await database.write(ResponseAppend(parts: parts, prompt: prompt), in: appends.responses)
  }

  /// What has come of a response, whole or so far; `nil` if nothing has begun.
  ///
  /// - Throws: `.notFound`.
  public func response(to prompt: Prompt.ID) async throws(MemoryError) -> String? {
    try await database.read { db in try StreamingResponse.text(of: prompt, db) }
  }

  /// Ends a prompt. Of a response that streamed the parts become the whole, unless `outcome` has another.
  ///
  /// - Parameter status: Completed, failed or cancelled.
  /// - Throws: `.conflict` if it has ended; `.limitExceeded`; `.notFound`; `.invalid`.
  @discardableResult
  public func finish(
    prompt id: Prompt.ID, as status: Prompt.Status = .completed, with outcome: Prompt.Outcome = .init(),
    error: String? = nil
  ) async throws(MemoryError) -> Prompt {
    let ending = try PromptEnding(status, outcome, error: error, database.input)
    return try await database.write { db, now in try ending.write(to: id, at: now, db) }
  }
}
