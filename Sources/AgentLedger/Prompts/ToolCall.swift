public import StoreValues

extension Ledger {
  /// A tool that a run called, and what came of it.
  public struct ToolCall: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a tool call.
    public typealias ID = Identifier<ToolCall>

    /// A UUID of version 7 unless the caller gave another.
    public let id: ID
    /// Whose it is.
    public let run: Run.ID
    /// The prompt whose response asked for it, if that is known.
    public let prompt: Prompt.ID?
    /// Among the prompts and tool calls of its run, from 1 on.
    public let position: Int
    /// Which tool was called.
    public let tool: String
    /// What it was called with: any JSON.
    public let arguments: JSON
    /// What it gave.
    public let result: String?
    /// `nil` if it is not known.
    public let success: Bool?
    /// Why it failed.
    public let error: String?
    let durationMilliseconds: Int64?
    /// Tokens that it used.
    public let tokens: Int
    /// Micro-dollars.
    public let cost: Int64
    /// When it was added, or the time that was given.
    public let createdAt: Timestamp

    /// How long it took, in whole milliseconds.
    public var duration: Duration? { durationMilliseconds.map { .milliseconds($0) } }

    enum CodingKeys: String, CodingKey {
      case id, position, tool, arguments, result, success, error, tokens, cost
      case run = "run_id"
      case prompt = "prompt_id"
      case durationMilliseconds = "duration_ms"
      case createdAt = "created_at"
    }
  }
}

extension Ledger.ToolCall {
  /// A tool call to be added to a run.
  public struct Draft: Hashable, Sendable {
    /// `nil`: the ledger makes one.
    public var id: ID?
    /// Of the same run.
    public var prompt: Ledger.Prompt.ID?
    /// Which tool was called.
    public var tool: String
    /// What it was called with: any JSON.
    public var arguments: JSON
    /// What it gave.
    public var result: String?
    /// `nil` if it is not known.
    public var success: Bool?
    /// Why it failed.
    public var error: String?
    /// How long it took; kept to the millisecond.
    public var duration: Duration?
    /// Tokens that it used.
    public var tokens = 0
    /// Micro-dollars.
    public var cost: Int64 = 0
    /// For a call that is recorded later; `nil` for now.
    public var at: Timestamp?

    /// A call of a tool that has ended.
    public init(
      _ tool: String, arguments: JSON = [:], result: String? = nil, success: Bool? = nil, error: String? = nil,
      duration: Duration? = nil, tokens: Int = 0, cost: Int64 = 0, prompt: Ledger.Prompt.ID? = nil, id: ID? = nil
    ) {
      (self.tool, self.arguments, self.result, self.success) = (tool, arguments, result, success)
      (self.error, self.duration, self.tokens, self.cost) = (error, duration, tokens, cost)
      (self.prompt, self.id) = (prompt, id)
    }
  }
}
