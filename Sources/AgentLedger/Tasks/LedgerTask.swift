public import StoreValues

extension Ledger {
  /// A piece of work in the queue, or done.
  public struct Task: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a task.
    public typealias ID = Identifier<Task>

    /// A UUID of version 7 unless the caller gave another.
    public let id: ID
    /// What is to be done; the application's word.
    public var type: String
    /// What it is to be done with: any JSON.
    public var params: JSON
    /// How urgent it is.
    public var priority: Priority
    /// What it is doing.
    public var status: Status
    /// How often it was claimed.
    public var attempts: Int
    /// Failures after which it has failed for good.
    public var maximumAttempts: Int
    /// Leases that ran out: how often its worker died or hung.
    public var crashes: Int
    /// Crashes after which it is set aside, as failed.
    public var maximumCrashes: Int
    /// It is not claimed earlier.
    public var notBefore: Timestamp
    /// When it goes back to the queue unless there is a heartbeat; only while it is in progress.
    public var leaseUntil: Timestamp?
    /// Who has it, or had it last.
    public var worker: Worker.ID?
    /// Its claimant is told at the next heartbeat to stop.
    public var isCancelling: Bool
    /// Why the last attempt failed, or it was given up.
    public var error: String?
    /// What kind of work it is, for reports.
    public var category: Category?
    /// 0...1.
    public var complexity: Double?
    /// Tokens that it took, if the application says so.
    public var tokens: Int?
    /// The request in words.
    public var request: String?
    /// The answer in words.
    public var response: String?
    /// SHA-256 in hexadecimal of the work, if it is to be queued once.
    public var contentHash: String?
    /// For whom it is done.
    public var person: Person.ID?
    /// The boundary of privacy it belongs to.
    public var domain: String
    /// Groups the tasks of one workflow or conversation.
    public var session: String?
    /// The task that it is a part of.
    public var parent: ID?
    /// When it was added.
    public var createdAt: Timestamp
    /// When it was claimed first.
    public var startedAt: Timestamp?
    /// When it was completed, failed for good or was cancelled.
    public var completedAt: Timestamp?

    enum CodingKeys: String, CodingKey {
      case id, type, params, priority, status, attempts
      case maximumAttempts = "max_attempts"
      case crashes
      case maximumCrashes = "max_crashes"
      case notBefore = "not_before"
      case leaseUntil = "lease_until"
      case worker = "worker_id"
      case isCancelling = "is_cancelling"
      case error, category, complexity, tokens, request, response
      case contentHash = "content_hash"
      case person = "person_id"
      case domain, session
      case parent = "parent_id"
      case createdAt = "created_at"
      case startedAt = "started_at"
      case completedAt = "completed_at"
    }
  }
}

extension Ledger.Task {
  /// What a task is doing.
  public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    /// It waits to be claimed.
    case pending
    /// A worker has it.
    case inProgress = "in_progress"
    /// It has ended.
    case completed, failed, cancelled

    /// Whether nothing more happens to it by itself.
    public var isEnded: Bool { self == .completed || self == .failed || self == .cancelled }
  }

  /// How urgent a task is; urgent comes first.
  public enum Priority: Int, Hashable, Sendable, Codable, CaseIterable, Comparable {
    /// In the order in which they are claimed.
    case urgent, high, normal, low, batch

    /// Urgent precedes high.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    /// The name as it is shown, and in JSON: `urgent`.
    public var name: String { String(describing: self) }

    /// The priority of a name; `nil` for another text.
    public init?(name: String) {
      guard let priority = Self.allCases.first(where: { $0.name == name }) else { return nil }
      self = priority
    }

    /// From its name.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let name = try container.decode(String.self)
      guard let priority = Self(name: name) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "no priority \"\(name)\"")
      }
      self = priority
    }

    /// As its name.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(name)
    }
  }

  /// What kind of work it is, for reports. An open set.
  public struct Category: OpenName {
    /// The name as it is stored.
    public let rawValue: String
    /// A category of the application's own.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Writing code.
    public static let coding = Category(rawValue: "coding")
    /// Finding faults.
    public static let debug = Category(rawValue: "debug")
    /// Planning.
    public static let design = Category(rawValue: "design")
    /// Writing documentation.
    public static let documentation = Category(rawValue: "documentation")
    /// Examining.
    public static let analysis = Category(rawValue: "analysis")
    /// Anything else.
    public static let general = Category(rawValue: "general")
  }

  /// A task to be added.
  public struct Draft: Hashable, Sendable {
    /// `nil`: the ledger makes one.
    public var id: ID?
    /// What is to be done; the application's word.
    public var type: String
    /// What it is to be done with: any JSON.
    public var params: JSON
    /// How urgent it is.
    public var priority: Priority
    /// The boundary of privacy it belongs to.
    public var domain: String
    /// Groups the tasks of one workflow or conversation.
    public var session: String?
    /// `nil` for at once.
    public var notBefore: Timestamp?
    /// Failures after which it has failed for good.
    public var maximumAttempts = 3
    /// Leases that run out, after which it is set aside.
    public var maximumCrashes = 3
    /// What kind of work it is, for reports.
    public var category: Category?
    /// How hard it is, from 0 to 1.
    public var complexity: Double?
    /// The request in words.
    public var request: String?
    /// For whom it is done.
    public var person: Ledger.Person.ID?
    /// The task that it is a part of.
    public var parent: ID?
    /// Whether the same type with the same params is queued once in a domain: adding it again gives the task that is there.
    public var isUnique = false
    /// A hash of the work in place of that of type and params: SHA-256 in lower-case hexadecimal. Implies `isUnique`.
    public var contentHash: String?

    /// A task of normal priority, to be done at once.
    public init(
      _ type: String, domain: String, params: JSON = [:], priority: Priority = .normal, session: String? = nil,
      notBefore: Timestamp? = nil, isUnique: Bool = false, id: ID? = nil
    ) {
      (self.type, self.domain, self.params, self.priority) = (type, domain, params, priority)
      (self.session, self.notBefore, self.isUnique, self.id) = (session, notBefore, isUnique, id)
    }
  }

  /// What adding did.
  public struct Added: Hashable, Sendable, Codable {
    /// The task that is queued.
    public let task: Ledger.Task
    /// False if the same work was queued already, and this is its task.
    public let isNew: Bool

    enum CodingKeys: String, CodingKey {
      case task
      case isNew = "is_new"
    }
  }

  /// Which tasks a list has; `nil` for any.
  public struct Filter: Hashable, Sendable {
    /// Only with this status.
    public var status: Status?
    /// Only of this domain.
    public var domain: String?
    /// Only of this session.
    public var session: String?
    /// Only of this type.
    public var type: String?
    /// Only those that this worker has, or had last.
    public var worker: Ledger.Worker.ID?
    /// Only for this person.
    public var person: Ledger.Person.ID?
    /// Only parts of this task.
    public var parent: ID?

    /// Every task.
    public init(status: Status? = nil, domain: String? = nil, session: String? = nil, type: String? = nil) {
      (self.status, self.domain, self.session, self.type) = (status, domain, session, type)
    }
  }
}
