public import StoreValues

extension Ledger {
  /// A tool that a run called, and what came of it.
  public struct ToolCall: Hashable, Sendable, Codable, Identifiable {
    public typealias ID = Identifier<ToolCall>

    public let id: ID
    public let run: Run.ID
    /// The prompt whose response asked for it, if that is known.
    public let prompt: Prompt.ID?
    /// Among the prompts and tool calls of its run, from 1 on.
    public let position: Int
    public let tool: String
    /// What it was called with: any JSON.
    public let arguments: JSON
    public let result: String?
    /// `nil` if it is not known.
    public let success: Bool?
    public let error: String?
    let durationMilliseconds: Int64?
    public let tokens: Int
    /// Micro-dollars.
    public let cost: Int64
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
    public var tool: String
    public var arguments: JSON
    public var result: String?
    public var success: Bool?
    public var error: String?
    public var duration: Duration?
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
