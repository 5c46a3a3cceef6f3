/// One attempt at one task, from start to outcome, with the steps it took.
public struct Episode: Identifiable, Hashable, Sendable {
  public typealias ID = Identifier<Episode>

  public enum Status: String, CaseIterable, Sendable, Codable {
    /// Under way: steps may be appended.
    case active
    case completed, failed
    /// Kept, but no longer recalled unless asked for.
    case archived
  }

  public let id: ID
  public var taskType: TaskType
  /// The privacy boundary: nothing recalled for one domain shows another's (I8).
  public let domain: String
  /// Groups the episodes of one workflow or conversation.
  public var session: String?
  /// What the task was, in words; what recall by words and vectors looks at first.
  public var context: String
  public var status: Status
  /// 0...1, `nil` while nobody knows.
  public var successRate: Double?
  public var createdAt: Timestamp
  public var completedAt: Timestamp?
  /// A JSON object.
  public var metadata: JSON
  /// How often the vectors of this episode changed; 0 where it has none.
  public var embeddingVersion: Int64
  /// In the order of their numbers.
  public var steps: [Step]

  public init(
    id: ID, taskType: TaskType, domain: String, session: String? = nil, context: String, status: Status = .active,
    successRate: Double? = nil, createdAt: Timestamp, completedAt: Timestamp? = nil, metadata: JSON = [:],
    embeddingVersion: Int64 = 0, steps: [Step] = []
  ) {
    self.id = id
    self.taskType = taskType
    self.domain = domain.canonicallyComposed
    self.session = session?.canonicallyComposed
    self.context = context
    self.status = status
    self.successRate = successRate
    self.createdAt = createdAt
    self.completedAt = completedAt
    self.metadata = metadata
    self.embeddingVersion = embeddingVersion
    self.steps = steps
  }
}

/// The kind of work an episode attempts; an open set.
public struct TaskType: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue.canonicallyComposed }
  public init(_ rawValue: String) { self.init(rawValue: rawValue) }
  public init(stringLiteral value: String) { self.init(rawValue: value) }
  public var description: String { rawValue }

  public static let codeGeneration = TaskType("code_generation")
  public static let debugging = TaskType("debugging")
  public static let refactoring = TaskType("refactoring")
  public static let testing = TaskType("testing")
  public static let analysis = TaskType("analysis")
  public static let documentation = TaskType("documentation")
}
