extension Episode {
  /// The caller's part of a new episode; the engine adds the rest.
  public struct Draft: Hashable, Sendable {
    /// The kind of task.
    public var taskType: TaskType
    /// The boundary of privacy, not empty; it never changes (I8).
    public var domain: String
    /// The task in words; searched by words, and usually embedded.
    public var context: String
    /// Groups the episodes of one workflow or conversation.
    public var session: String?
    /// A JSON object.
    public var metadata: JSON
    /// `nil`: a new UUID version 7.
    public var id: ID?
    /// Where it comes from.
    public var provenance: Provenance
    /// The episodes that it is derived from, such as those that it sums up: it is trusted no more than any of them.
    public var parents: [ID]

    /// A new episode of a task in a domain.
    public init(
      _ taskType: TaskType, domain: String, context: String, session: String? = nil, metadata: JSON = [:],
      id: ID? = nil, provenance: Provenance = Provenance(), parents: [ID] = []
    ) {
      self.provenance = provenance
      self.parents = parents
      self.taskType = taskType
      self.domain = domain.canonicallyComposed
      self.context = context
      self.session = session?.canonicallyComposed
      self.metadata = metadata
      self.id = id
    }

    /// With metadata of literals and variables.
    @_disfavoredOverload
    public init(
      _ taskType: TaskType, domain: String, context: String, session: String? = nil,
      metadata: [String: (any JSONConvertible)?], id: ID? = nil, provenance: Provenance = Provenance(),
      parents: [ID] = []
    ) {
      self.init(
        taskType, domain: domain, context: context, session: session, metadata: JSON(metadata), id: id,
        provenance: provenance, parents: parents)
    }
  }

  /// Changes of an episode; `nil` leaves a field unchanged.
  ///
  /// The domain cannot be changed: moving an episode across a privacy boundary takes an export and an import (I8).
  public struct Change: Hashable, Sendable {
    /// The new kind of task.
    public var taskType: TaskType?
    /// The new context; vectors of the old one stay until they are replaced.
    public var context: String?
    /// `.some(nil)` removes the episode from its session.
    public var session: String??
    /// 0...1.
    public var successRate: Double?
    /// The new metadata, a JSON object in place of the old one.
    public var metadata: JSON?

    /// What is left out stays as it is.
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

    /// With metadata of literals and variables.
    @_disfavoredOverload
    public init(
      taskType: TaskType? = nil, context: String? = nil, session: String?? = nil, successRate: Double? = nil,
      metadata: [String: (any JSONConvertible)?]
    ) {
      self.init(
        taskType: taskType, context: context, session: session, successRate: successRate, metadata: JSON(metadata))
    }
  }

  /// A change of status, with the values that the engine sets.
  package enum Transition: Hashable, Sendable {
    /// active → completed; `nil` sets the share of steps that succeeded, or 1 if no step has a result.
    case complete(successRate: Double?)
    /// active → failed; `nil` sets the share of steps that succeeded, or 0 if no step has a result.
    case fail(successRate: Double?)
    /// any → archived
    case archive
    /// any → active, undoing the other three: clears completion time and success rate.
    case reopen

    /// The verb of `Memory`.
    package var verb: String {
      switch self {
      case .complete: "complete"
      case .fail: "fail"
      case .archive: "archive"
      case .reopen: "reopen"
      }
    }

    package var target: Status {
      switch self {
      case .complete: .completed
      case .fail: .failed
      case .archive: .archived
      case .reopen: .active
      }
    }

    /// Whether the episode has ended with it.
    package var endsEpisode: Bool { target == .completed || target == .failed }

    /// Whether it applies to an episode in `status`.
    package func isAllowed(from status: Status) -> Bool {
      switch self {
      case .complete, .fail: status == .active
      case .archive, .reopen: status != target
      }
    }
  }

  /// What an import does with an episode whose id exists.
  public enum ExistingPolicy: String, CaseIterable, Sendable {
    /// Reject it, even if it is identical.
    case fail
    /// Keep the existing one.
    case skip
    /// Replace it with its steps. Its links stay, and its vectors as far as their text is unchanged.
    case replace
  }
}

/// The result of inserting episodes.
public struct InsertionReport: Hashable, Sendable {
  /// Episodes inserted or replaced.
  public var episodes = 0
  /// Steps and vectors inserted with them.
  public var steps = 0
  /// Vectors inserted with the episodes.
  public var vectors = 0
  /// Earlier vectors of replaced episodes: kept, because the text they were made from is unchanged, or dropped with it. A
  /// vector replaced by a new one of its model is in neither.
  public var keptVectors = 0
  /// Earlier vectors that were dropped with their text.
  public var droppedVectors = 0

  /// Nothing inserted.
  public init() {}
}
