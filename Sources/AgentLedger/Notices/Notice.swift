public import StoreValues

extension Ledger {
  /// A notice to a person by one channel: waiting, sent or failed.
  public struct Notice: Hashable, Sendable, Codable, Identifiable {
    public typealias ID = Identifier<Notice>

    public let id: ID
    public var recipient: Person.ID
    public var channel: Channel
    public var type: Kind
    public var level: Level
    /// One line.
    public var subject: String
    public var body: String
    public var status: Status
    /// What the application has learned of it since it was sent.
    public var delivery: Delivery?
    /// Of the last attempt to send it, unless it was sent.
    public var error: String?
    /// It is not sent earlier: the end of the recipient's quiet hours, or of the wait for the rate limit.
    public var notBefore: Timestamp
    public var createdAt: Timestamp
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
    case email, sms, slack, webhook
  }

  /// What it is about. An open set.
  public struct Kind: OpenName {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let taskCompletion = Kind(rawValue: "task_completion")
    public static let system = Kind(rawValue: "system")
    /// Of a rule that fired.
    public static let alert = Kind(rawValue: "alert")
  }

  /// How grave it is; a critical one waits for nothing.
  public enum Level: String, Hashable, Sendable, Codable, CaseIterable {
    case info, warning, critical
  }

  /// Whether it was handed over.
  public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    case pending, sent, failed
  }

  /// What became of it after it was sent.
  public enum Delivery: String, Hashable, Sendable, Codable, CaseIterable {
    case delivered, bounced, opened
  }
}
