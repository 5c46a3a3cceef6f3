extension Episode {
  /// What a caller says of an episode that begins; the engine adds the rest.
  public struct Draft: Hashable, Sendable {
    public var taskType: TaskType
    public var domain: String
    public var context: String
    public var session: String?
    public var metadata: JSON
    /// `nil`: a new UUID version 7.
    public var id: ID?

    public init(
      _ taskType: TaskType, domain: String, context: String, session: String? = nil, metadata: JSON = [:],
      id: ID? = nil
    ) {
      self.taskType = taskType
      self.domain = domain.canonicallyComposed
      self.context = context
      self.session = session?.canonicallyComposed
      self.metadata = metadata
      self.id = id
    }
  }

  /// What to change in an episode; what is `nil` stays as it is.
  ///
  /// The domain cannot be changed: moving an episode across a privacy boundary is an export and an import (I8).
  public struct Change: Hashable, Sendable {
    public var taskType: TaskType?
    public var context: String?
    /// `.some(nil)` takes the episode out of its session.
    public var session: String??
    public var successRate: Double?
    public var metadata: JSON?

    public init(
      taskType: TaskType? = nil, context: String? = nil, session: String?? = nil, successRate: Double? = nil,
      metadata: JSON? = nil
    ) {
      self.taskType = taskType
      self.context = context
      self.session = session.map { $0?.canonicallyComposed }
      self.successRate = successRate
      self.metadata = metadata
    }
  }

  /// The way from one status to another, and what the engine writes on the way.
  public enum Transition: Hashable, Sendable {
    /// active → completed; `nil` takes the share of steps that succeeded, or 1 where no step says.
    case complete(successRate: Double?)
    /// active → failed; `nil` takes the share of steps that succeeded, or 0 where no step says.
    case fail(successRate: Double?)
    /// any → archived
    case archive
    /// any → active, the undo of the other three: completion time and success rate are cleared.
    case reopen

    public var target: Status {
      switch self {
      case .complete: .completed
      case .fail: .failed
      case .archive: .archived
      case .reopen: .active
      }
    }

    /// Whether an episode in `status` may go this way.
    public func isAllowed(from status: Status) -> Bool {
      switch self {
      case .complete, .fail: status == .active
      case .archive, .reopen: status != target
      }
    }
  }

  /// What an import does with an episode whose id is already there.
  public enum ExistingPolicy: String, CaseIterable, Sendable {
    /// Refuse it; an identical one counts as a conflict too.
    case fail
    /// Keep the one that is there.
    case skip
    /// Put the new one in its place, steps included; links and vectors of the old one go.
    case replace
  }
}

/// The result of inserting episodes.
public struct InsertionReport: Hashable, Sendable {
  /// Episodes inserted or replaced.
  public var episodes = 0
  /// Steps and vectors inserted with them.
  public var steps = 0
  public var vectors = 0
  /// Earlier vectors of replaced episodes: kept, because the text they were made from is unchanged, or dropped with it. A
  /// vector replaced by a new one of its model is in neither.
  public var keptVectors = 0
  public var droppedVectors = 0

  public init() {}
}
