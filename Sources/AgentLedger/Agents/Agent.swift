public import StoreValues

extension Ledger {
  /// Who runs: a program with a role, whose runs are kept.
  public struct Agent: Hashable, Sendable, Codable, Identifiable {
    /// Identifies an agent.
    public typealias ID = Identifier<Agent>

    /// A UUID of version 7 unless the caller gave another.
    public let id: ID
    /// Unique in the ledger.
    public let name: String
    /// Its role.
    public let type: Kind
    /// What it can do, in the application's words, in the order given.
    public let capabilities: [String]
    /// The model that it asks unless a prompt names another.
    public let defaultModel: String?
    /// When it was added.
    public let createdAt: Timestamp
    /// When it was changed last.
    public let updatedAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case id, name, type, capabilities
      case defaultModel = "default_model"
      case createdAt = "created_at"
      case updatedAt = "updated_at"
    }
  }
}

extension Ledger.Agent {
  /// The role of an agent.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// What an agent does in a group of them.
    case planner, builder, reviewer, tester, orchestrator, utility
  }

  /// An agent to be added.
  public struct Draft: Hashable, Sendable {
    /// `nil`: the ledger makes one.
    public var id: ID?
    /// Unique in the ledger.
    public var name: String
    /// Its role.
    public var type: Kind
    /// What it can do, in the application's words.
    public var capabilities: [String]
    /// The model that it asks unless a prompt names another.
    public var defaultModel: String?

    /// An agent with a name that no other has.
    public init(_ name: String, type: Kind, capabilities: [String] = [], defaultModel: String? = nil, id: ID? = nil) {
      (self.name, self.type, self.capabilities) = (name, type, capabilities)
      (self.defaultModel, self.id) = (defaultModel, id)
    }
  }

  /// What is to change of an agent.
  public struct Change: Hashable, Sendable {
    /// The new name, which no other agent has.
    public var name: String?
    /// The new role.
    public var type: Kind?
    /// In place of those that it has.
    public var capabilities: [String]?
    /// `.some(nil)` takes the model away.
    public var defaultModel: String??

    /// What is left out stays as it is.
    public init(
      name: String? = nil, type: Kind? = nil, capabilities: [String]? = nil, defaultModel: String?? = nil
    ) {
      (self.name, self.type, self.capabilities, self.defaultModel) = (name, type, capabilities, defaultModel)
    }
  }
}
