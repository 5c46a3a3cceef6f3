public import StoreValues

extension Ledger {
  /// One attempt of an agent at something, from its start to its outcome; when it has ended, it can become an episode.
  public struct Run: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a run.
    public typealias ID = Identifier<Run>

    /// A UUID of version 7 unless the caller gave another.
    public let id: ID
    /// Whose run it is; `nil` if nobody's, or the agent was removed.
    public let agent: Agent.ID?
    /// Groups the runs of one workflow or conversation.
    public let session: String?
    /// The run that started it.
    public let parent: ID?
    /// The task that it works on.
    public let task: Task.ID?
    /// The boundary of privacy it belongs to.
    public let domain: String
    /// The task type of the episode that it becomes.
    public let taskType: TaskType
    /// What it is doing.
    public let status: Status
    /// What it is about, in words.
    public let context: String
    /// How it is done: a JSON object.
    public let config: JSON
    /// 0...1, if whoever ended it said so.
    public let successRate: Double?
    /// Micro-dollars: the sum of its prompts and tool calls.
    public let cost: Int64
    /// Why it failed, or was cancelled.
    public let error: String?
    /// Of its process.
    public let pid: Int?
    /// When it was heard of last. What a run writes counts too, at most once a second.
    public let lastHeartbeat: Timestamp
    /// When it was started, or the time that was given.
    public let startedAt: Timestamp
    /// When it was completed, failed or was cancelled.
    public let completedAt: Timestamp?
    /// The id of the episode that it became.
    public let episode: String?

    enum CodingKeys: String, CodingKey {
      case id, session, domain, status, context, config, cost, error, pid
      case agent = "agent_id"
      case parent = "parent_id"
      case task = "task_id"
      case taskType = "task_type"
      case successRate = "success_rate"
      case lastHeartbeat = "last_heartbeat"
      case startedAt = "started_at"
      case completedAt = "completed_at"
      case episode = "episode_id"
    }
  }
}

extension Ledger.Run {
  /// What a run is doing.
  public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    /// What it is busy with, or how it has ended.
    case initializing, planning, executing, reviewing, completed, failed, cancelled

    /// Whether nothing more happens to it.
    public var isEnded: Bool { next.isEmpty }

    /// What may follow. The schema has the same rule in a trigger.
    public var next: Set<Status> {
      switch self {
      case .initializing: [.planning, .executing, .failed, .cancelled]
      case .planning: [.executing, .failed, .cancelled]
      case .executing: [.planning, .reviewing, .completed, .failed, .cancelled]
      case .reviewing: [.executing, .completed, .failed, .cancelled]
      case .completed, .failed, .cancelled: []
      }
    }
  }

  /// The kind of task that a run is about. An open set.
  public struct TaskType: OpenName {
    /// The name as it is stored.
    public let rawValue: String
    /// A task type of the application's own.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Writing code.
    public static let codeGeneration = TaskType(rawValue: "code_generation")
    /// Finding faults.
    public static let debugging = TaskType(rawValue: "debugging")
    /// Changing code that works.
    public static let refactoring = TaskType(rawValue: "refactoring")
    /// Writing and running tests.
    public static let testing = TaskType(rawValue: "testing")
    /// Examining.
    public static let analysis = TaskType(rawValue: "analysis")
    /// Writing documentation.
    public static let documentation = TaskType(rawValue: "documentation")
  }

  /// A run to be started.
  public struct Draft: Hashable, Sendable {
    /// `nil`: the ledger makes one.
    public var id: ID?
    /// The task type of the episode that it becomes.
    public var taskType: TaskType
    /// `nil`: that of its task.
    public var domain: String?
    /// `nil`: that of its task, if it has one.
    public var session: String?
    /// Whose run it is.
    public var agent: Ledger.Agent.ID?
    /// The run that starts it.
    public var parent: ID?
    /// The task that it works on.
    public var task: Ledger.Task.ID?
    /// What it is about, in words.
    public var context: String
    /// A JSON object.
    public var config: JSON = [:]
    /// One that has not ended.
    public var status = Status.initializing
    /// Of its process.
    public var pid: Int?
    /// For a run that is recorded later; `nil` for now.
    public var startedAt: Timestamp?

    /// A run in a domain, or in that of its task.
    public init(
      _ taskType: TaskType, domain: String? = nil, context: String = "", session: String? = nil,
      agent: Ledger.Agent.ID? = nil, task: Ledger.Task.ID? = nil, parent: ID? = nil, status: Status = .initializing,
      id: ID? = nil
    ) {
      (self.taskType, self.domain, self.context, self.session) = (taskType, domain, context, session)
      (self.agent, self.task, self.parent, self.status, self.id) = (agent, task, parent, status, id)
    }
  }

  /// Which runs a list has; `nil` for any.
  public struct Filter: Hashable, Sendable {
    /// Doing this.
    public var status: Status?
    /// Of this domain.
    public var domain: String?
    /// Of this session.
    public var session: String?
    /// Of this agent.
    public var agent: Ledger.Agent.ID?
    /// For this task.
    public var task: Ledger.Task.ID?
    /// Started by this run.
    public var parent: ID?
    /// Of this task type.
    public var taskType: TaskType?
    /// Started then or later.
    public var since: Timestamp?
    /// Started before.
    public var until: Timestamp?

    /// Every run.
    public init(
      status: Status? = nil, domain: String? = nil, session: String? = nil, agent: Ledger.Agent.ID? = nil,
      task: Ledger.Task.ID? = nil
    ) {
      (self.status, self.domain, self.session, self.agent, self.task) = (status, domain, session, agent, task)
    }
  }

  /// A run in a tree of runs.
  public struct Node: Hashable, Sendable, Codable {
    /// The run.
    public let run: Ledger.Run
    /// 0 for the root.
    public let depth: Int
  }
}
