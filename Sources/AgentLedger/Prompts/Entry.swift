public import StoreValues

extension Ledger {
  /// What a run did, in order: a prompt or a tool call.
  public enum Entry: Hashable, Sendable {
    /// A model was asked.
    case prompt(Prompt)
    /// A tool was called.
    case toolCall(ToolCall)

    /// In its run, from 1 on.
    public var position: Int {
      switch self {
      case .prompt(let prompt): prompt.position
      case .toolCall(let call): call.position
      }
    }

    /// When it was added, or the time that was given.
    public var createdAt: Timestamp {
      switch self {
      case .prompt(let prompt): prompt.createdAt
      case .toolCall(let call): call.createdAt
      }
    }

    /// A prompt or a tool call to be added.
    public enum Draft: Hashable, Sendable {
      /// A prompt.
      case prompt(Prompt.Draft)
      /// A tool call.
      case toolCall(ToolCall.Draft)
    }
  }
}

/// An object with the one member `prompt` or `tool_call`.
extension Ledger.Entry: Codable {
  private enum CodingKeys: String, CodingKey {
    case prompt
    case toolCall = "tool_call"
  }

  /// Reads the one member that is there.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let prompt = try container.decodeIfPresent(Ledger.Prompt.self, forKey: .prompt) {
      self = .prompt(prompt)
    } else {
      self = .toolCall(try container.decode(Ledger.ToolCall.self, forKey: .toolCall))
    }
  }

  /// Writes the one member.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .prompt(let prompt): try container.encode(prompt, forKey: .prompt)
    case .toolCall(let call): try container.encode(call, forKey: .toolCall)
    }
  }
}
