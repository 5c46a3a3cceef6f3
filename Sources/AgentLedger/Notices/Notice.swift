public import StoreValues

extension Ledger {
  /// A notice to a person by one channel: waiting, sent or failed.
  public struct Notice: Hashable, Sendable, Codable, Identifiable {
    public typealias ID = Identifier<Notice>

    /// By which a receiver removes duplicates.
    public let id: ID
    /// To whom it goes.
    public var recipient: Person.ID
    /// How it goes.
    public var channel: Channel
    /// What it is about.
    public var type: Kind
    /// How grave it is.
    public var level: Level
    /// One line.
    public var subject: String
    /// Plain text: what channels send as HTML they escape.
    public var body: String
    /// Whether it was handed over to its channel.
    public var status: Status
    /// What the application has learned of it since it was sent.
    public var delivery: Delivery?
    /// Of the last attempt to send it, unless it was sent.
    public var error: String?
    /// It is not sent earlier: the end of the recipient's quiet hours, or of the wait for the rate limit.
    public var notBefore: Timestamp
    /// When it was written.
    public var createdAt: Timestamp
    /// When it was handed over to its channel.
    public var sentAt: Timestamp?

    enum CodingKeys: String, CodingKey {
      case id, recipient, channel, type, level, subject, body, status, delivery, error
      case notBefore = "not_before"
      case createdAt = "created_at"
      case sentAt = "sent_at"
    }
  }
}

extension Ledger.Notice {
  /// How it goes to its recipient.
  public enum Channel: String, Hashable, Sendable, Codable, CaseIterable {
    /// Where it goes.
    case email, sms, slack, webhook
  }

  /// What it is about. An open set.
  public struct Kind: OpenName {
    /// The name as it is stored.
    public let rawValue: String
    /// One of the application's own.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A task has ended.
    public static let taskCompletion = Kind(rawValue: "task_completion")
    /// Of the system itself.
    public static let system = Kind(rawValue: "system")
    /// Of a rule that fired.
    public static let alert = Kind(rawValue: "alert")
  }

  /// How grave it is; a critical one waits for nothing.
  public enum Level: String, Hashable, Sendable, Codable, CaseIterable {
    /// Good to know.
    case info
    /// Something may go wrong.
    case warning
    /// Something has gone wrong: no quiet hours and no rate limit hold it back.
    case critical
  }

  /// Whether it was handed over.
  public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    /// It waits, for its time or for another attempt.
    case pending
    /// Its channel has it.
    case sent
    /// It was given up; its message is a dead letter of the outbox, which can be put back.
    case failed
  }

  /// What became of it after it was sent.
  public enum Delivery: String, Hashable, Sendable, Codable, CaseIterable {
    /// It has arrived.
    case delivered
    /// It came back.
    case bounced
    /// Its recipient has seen it.
    case opened
  }
}
