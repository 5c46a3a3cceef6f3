public import StoreValues

extension Ledger {
  /// What a run asked a model, and what came of it.
  public struct Prompt: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a prompt.
    public typealias ID = Identifier<Prompt>

    /// A UUID of version 7 unless the caller gave another.
    public let id: ID
    /// Whose it is.
    public let run: Run.ID
    /// Among the prompts and tool calls of its run, from 1 on.
    public let position: Int
    /// What it is for.
    public let type: Kind
    /// What the application calls it.
    public let name: String?
    /// What was asked.
    public let text: String
    /// What has come of it.
    public let status: Status
    /// Whole; `nil` while it streams (`response(to:)` gives what has come).
    public let response: String?
    /// Which model was asked.
    public let model: String?
    /// Tokens that were sent.
    public let tokensIn: Int
    /// Tokens that came back.
    public let tokensOut: Int
    /// Micro-dollars.
    public let cost: Int64
    let latencyMilliseconds: Int64?
    /// Why there is no whole response.
    public let error: String?
    /// When it was added, or the time that was given.
    public let createdAt: Timestamp
    /// When it was completed, failed or was cancelled.
    public let completedAt: Timestamp?

    /// How long the response took, in whole milliseconds.
    public var latency: Duration? { latencyMilliseconds.map { .milliseconds($0) } }

    enum CodingKeys: String, CodingKey {
      case id, position, type, name, text, status, response, model, cost, error
      case run = "run_id"
      case tokensIn = "tokens_in"
      case tokensOut = "tokens_out"
      case latencyMilliseconds = "latency_ms"
      case createdAt = "created_at"
      case completedAt = "completed_at"
    }
  }
}

extension Ledger.Prompt {
  /// What a prompt is for.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// From whom it comes, or for what.
    case command, workflow, followup, correction
    /// What a tool gave, on its way to the model.
    case toolCall = "tool_call"
  }

  /// What has come of a prompt.
  public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    /// A response is awaited, comes in parts, is whole, or will not be.
    case pending, streaming, completed, failed, cancelled

    /// Whether nothing more happens to it.
    public var isEnded: Bool { self == .completed || self == .failed || self == .cancelled }
  }

  /// What is known of a prompt when it has ended.
  public struct Outcome: Hashable, Sendable {
    /// `nil` for the parts of a response that streamed, joined.
    public var response: String?
    /// `nil` for the one that the prompt named.
    public var model: String?
    /// Tokens that were sent.
    public var tokensIn: Int?
    /// Tokens that came back.
    public var tokensOut: Int?
    /// Micro-dollars.
    public var cost: Int64?
    /// `nil` for the time since the prompt was added.
    public var latency: Duration?

    /// What is left out stays as it is.
    public init(
      _ response: String? = nil, model: String? = nil, tokensIn: Int? = nil, tokensOut: Int? = nil,
      cost: Int64? = nil, latency: Duration? = nil
    ) {
      (self.response, self.model, self.tokensIn) = (response, model, tokensIn)
      (self.tokensOut, self.cost, self.latency) = (tokensOut, cost, latency)
    }
  }

  /// A prompt to be added to a run.
  public struct Draft: Hashable, Sendable {
    /// `nil`: the ledger makes one.
    public var id: ID?
    /// What it is for.
    public var type: Kind
    /// What the application calls it.
    public var name: String?
    /// What is asked.
    public var text: String
    /// `nil`: failed with an error, completed with a response, pending without both.
    public var status: Status?
    /// Whole; `nil` if it has not come.
    public var response: String?
    /// Which model is asked.
    public var model: String?
    /// Tokens that were sent.
    public var tokensIn = 0
    /// Tokens that came back.
    public var tokensOut = 0
    /// Micro-dollars.
    public var cost: Int64 = 0
    /// How long the response took; kept to the millisecond.
    public var latency: Duration?
    /// Why there is no whole response.
    public var error: String?
    /// For a prompt that is recorded later; `nil` for now.
    public var at: Timestamp?

    /// A prompt that waits for its response, or one with its response that is recorded afterwards.
    public init(
      _ text: String, type: Kind = .command, response: String? = nil, model: String? = nil, tokensIn: Int = 0,
      tokensOut: Int = 0, cost: Int64 = 0, latency: Duration? = nil, error: String? = nil, status: Status? = nil,
      id: ID? = nil
    ) {
      (self.text, self.type, self.response, self.model) = (text, type, response, model)
      (self.tokensIn, self.tokensOut, self.cost, self.latency) = (tokensIn, tokensOut, cost, latency)
      (self.error, self.status, self.id) = (error, status, id)
    }
  }
}
