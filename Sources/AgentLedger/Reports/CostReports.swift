public import StoreValues

extension Ledger {
  /// What a model, an agent or a session cost.
  public struct Cost: Hashable, Sendable, Codable {
    /// By what costs are summed.
    public enum Dimension: String, Hashable, Sendable, Codable, CaseIterable {
      /// Prompts by their model; tool calls and prompts without one have no name.
      case model
      /// Runs that began in the window by the name of their agent.
      case agent
      /// Runs that began in the window by their session.
      case session
      /// Runs that began in the window by their domain.
      case domain
    }

    /// Of the model, agent, session or domain; `nil`: without one.
    public let name: String?
    /// In micro-dollars.
    public let cost: Int64
    /// By model: prompts, and the tool calls that cost something or took tokens. Else: runs.
    public let count: Int
    /// By model: those in, those out and those of tool calls. Else `nil`.
    public let tokens: Int64?
  }

  /// What prompts and tool calls that were made on a day of a time zone cost.
  public struct CostDay: Hashable, Sendable, Codable {
    /// Its beginning.
    public let day: Timestamp
    /// In micro-dollars.
    public let cost: Int64
    /// Those in, those out and those of tool calls.
    public let tokens: Int64
    /// Prompts that were made on that day.
    public let prompts: Int
  }
}
