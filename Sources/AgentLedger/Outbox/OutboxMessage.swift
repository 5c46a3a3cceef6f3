public import StoreValues

extension Ledger {
  /// What is to be delivered to another system, at least once and in order per key.
  public struct OutboxMessage: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a message.
    public typealias ID = Identifier<OutboxMessage>

    /// By this a receiver removes duplicates: a message that is sent again, by this sender or by another, has the same one.
    public let id: ID
    /// What it is about.
    public let kind: Kind
    /// Messages of one key, whatever their kind, are delivered in the order in which they were written.
    public let key: String
    /// What is delivered.
    public let payload: JSON
    /// The result that it delivers, if it does.
    public let result: TaskResult.ID?
    /// Where it is on its way.
    public let status: Status
    /// Attempts that ended, whatever came of them. One whose sender died is not counted: it says nothing of the message.
    public let attempts: Int
    /// It is not sent earlier.
    public let nextAttemptAt: Timestamp
    /// When it was delivered.
    public let deliveredAt: Timestamp?
    /// When it was given up; it can be put back.
    public let deadAt: Timestamp?
    /// What the last attempt failed with.
    public let error: String?
    /// When it was written.
    public let createdAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case id, kind, key, payload
      case result = "result_id"
      case status, attempts
      case nextAttemptAt = "next_attempt_at"
      case deliveredAt = "delivered_at"
      case deadAt = "dead_at"
      case error
      case createdAt = "created_at"
    }
  }
}

extension Ledger.OutboxMessage {
  /// What it is about. An open set.
  public struct Kind: OpenName {
    /// The name as it is stored.
    public let rawValue: String
    /// A kind of the application's own.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// About a task.
    public static let tasks = Kind(rawValue: "tasks")
    /// The result of a task.
    public static let results = Kind(rawValue: "results")
    /// What was observed.
    public static let signals = Kind(rawValue: "signals")
  }

  /// Where it is on its way.
  public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    /// Another message of its key is to be delivered first.
    case queued
    /// The next round sends it.
    case ready
    /// It is the first of its key, and waits for `nextAttemptAt`.
    case waiting
    /// A sender has it.
    case sending
    /// It has arrived.
    case delivered
    /// It was refused, or failed too often.
    case dead
  }

  /// A message to be put into the outbox.
  public struct Draft: Hashable, Sendable {
    /// What it is about.
    public var kind: Kind
    /// In the order of this key it is delivered.
    public var key: String
    /// What is delivered.
    public var payload: JSON
    /// It is not sent earlier, and neither are those of its key behind it; `nil` for at once.
    public var notBefore: Timestamp?

    /// A message of a kind, with the key in whose order it is delivered.
    public init(_ kind: Kind, key: String, payload: JSON, notBefore: Timestamp? = nil) {
      (self.kind, self.key, self.payload, self.notBefore) = (kind, key, payload, notBefore)
    }
  }
}
