public import StoreValues

extension Ledger {
  /// Something that happened, kept for reports and for whoever looks for a cause.
  ///
  /// Credentials of known shapes are replaced in the message and the details before an event is written.
  public struct Event: Hashable, Sendable, Codable {
    /// Later events of one time have higher numbers.
    public let number: Int64
    /// How grave it is.
    public let level: Level
    /// What kind of thing happened.
    public let kind: Kind
    /// The part of the program that it happened in.
    public let component: Component
    /// What went wrong, if something did.
    public let errorType: ErrorType?
    /// The run in which it happened.
    public let run: Run.ID?
    /// The task for which it happened.
    public let task: Task.ID?
    /// The person for whom it happened.
    public let person: Person.ID?
    /// What happened, in words.
    public let message: String
    /// More of it: any JSON.
    public let details: JSON
    /// When it happened.
    public let createdAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case number, level, kind, component, message, details
      case errorType = "error_type"
      case run = "run_id"
      case task = "task_id"
      case person = "person_id"
      case createdAt = "created_at"
    }
  }
}

extension Ledger.Event {
  /// How grave an event is.
  public enum Level: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    /// Of use to who looks for a fault.
    case debug
    /// As it should be.
    case info
    /// Not as it should be, and nothing is lost.
    case warning
    /// Something failed.
    case error
    /// Something must be done at once.
    case critical

    /// As it is stored: 0 for debug, 4 for critical.
    var rank: Int {
      switch self {
      case .debug: 0
      case .info: 1
      case .warning: 2
      case .error: 3
      case .critical: 4
      }
    }

    /// `nil` for a number that is none.
    init?(rank: Int) {
      guard let level = Self.allCases.first(where: { $0.rank == rank }) else { return nil }
      self = level
    }

    /// Less grave comes first.
    public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }

    /// This level and all graver ones.
    public var andAbove: Set<Level> { Set(Self.allCases.filter { $0 >= self }) }
  }

  /// What kind of thing happened. An open set.
  public struct Kind: OpenName {
    /// The name as it is stored.
    public let rawValue: String
    /// A kind of the application's own.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Something is in another state.
    public static let stateChange = Kind(rawValue: "state_change")
    /// Something is reached.
    public static let milestone = Kind(rawValue: "milestone")
    /// Something failed.
    public static let error = Kind(rawValue: "error")
    /// Something took long, or much.
    public static let performance = Kind(rawValue: "performance")
    /// A tool was called.
    public static let toolCall = Kind(rawValue: "tool_call")
    /// Something costs more.
    public static let costUpdate = Kind(rawValue: "cost_update")
    /// A line of a log.
    public static let log = Kind(rawValue: "log")
  }

  /// The part of the program in which it happened. An open set.
  public struct Component: OpenName {
    /// The name as it is stored.
    public let rawValue: String
    /// A component of the application's own.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// What runs the agents.
    public static let orchestrator = Component(rawValue: "orchestrator")
    /// A database.
    public static let database = Component(rawValue: "database")
    /// A connection that stays open.
    public static let websocket = Component(rawValue: "websocket")
    /// A service over the network.
    public static let api = Component(rawValue: "api")
  }

  /// What went wrong. An open set.
  public struct ErrorType: OpenName {
    /// The name as it is stored.
    public let rawValue: String
    /// A type of the application's own.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A service refused or failed.
    public static let api = ErrorType(rawValue: "api")
    /// An input was wrong.
    public static let validation = ErrorType(rawValue: "validation")
    /// Something took too long.
    public static let timeout = ErrorType(rawValue: "timeout")
    /// There was nobody to whom it could go.
    public static let routing = ErrorType(rawValue: "routing")
    /// A database failed.
    public static let database = ErrorType(rawValue: "database")
  }

  /// An event to be written.
  public struct Draft: Hashable, Sendable {
    /// How grave it is.
    public var level: Level
    /// What kind of thing happened.
    public var kind: Kind
    /// The part of the program that it happened in.
    public var component: Component
    /// What went wrong, if something did.
    public var errorType: ErrorType?
    /// The run in which it happened; the event is erased with it.
    public var run: Ledger.Run.ID?
    /// The task for which it happened.
    public var task: Ledger.Task.ID?
    /// The person for whom it happened.
    public var person: Ledger.Person.ID?
    /// What happened, in words.
    public var message: String
    /// More of it: any JSON.
    public var details: JSON
    /// For an event that is recorded later; `nil` for now.
    public var at: Timestamp?

    /// An event with its message.
    public init(
      _ message: String, level: Level = .info, kind: Kind = .milestone, component: Component = .orchestrator,
      errorType: ErrorType? = nil, run: Ledger.Run.ID? = nil, task: Ledger.Task.ID? = nil,
      person: Ledger.Person.ID? = nil, details: JSON = [:]
    ) {
      (self.message, self.level, self.kind, self.component) = (message, level, kind, component)
      (self.errorType, self.run, self.task, self.person, self.details) = (errorType, run, task, person, details)
    }
  }

  /// Which events a list has; `nil` for any.
  public struct Filter: Hashable, Sendable {
    /// Empty for any.
    public var levels: Set<Level>
    /// Of this run.
    public var run: Ledger.Run.ID?
    /// Of this type of error.
    public var errorType: ErrorType?
    /// Of this task.
    public var task: Ledger.Task.ID?
    /// Of this person.
    public var person: Ledger.Person.ID?
    /// Of this kind.
    public var kind: Kind?
    /// Of this component.
    public var component: Component?
    /// Then or later.
    public var since: Timestamp?
    /// Before.
    public var until: Timestamp?

    /// Every event.
    public init(
      _ levels: Set<Level> = [], run: Ledger.Run.ID? = nil, errorType: ErrorType? = nil,
      task: Ledger.Task.ID? = nil, person: Ledger.Person.ID? = nil
    ) {
      (self.levels, self.run, self.errorType, self.task, self.person) = (levels, run, errorType, task, person)
    }
  }
}
