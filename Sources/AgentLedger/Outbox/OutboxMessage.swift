import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// What is to be delivered to another system, at least once and in order per key.
  public struct OutboxMessage: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a message; a receiver removes duplicates by it.
    public typealias ID = Identifier<OutboxMessage>

    /// A UUID of version 7.
    public let id: ID
    /// What it is about.
    public let kind: Kind
    /// Messages of one key are delivered in the order in which they were written.
    public let key: String
    /// What is delivered.
    public let payload: JSON
    /// The result that it delivers, if it does.
    public let result: TaskResult.ID?
    /// Attempts to deliver it.
    public let attempts: Int
    /// It is not tried earlier.
    public let nextAttemptAt: Timestamp
    /// When it was delivered.
    public let deliveredAt: Timestamp?
    /// When it was given up; it can be put back.
    public let deadAt: Timestamp?
    /// Why the last attempt failed.
    public let error: String?
    /// When it was written.
    public let createdAt: Timestamp

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

    /// A message to be put into the outbox.
    public struct Draft: Hashable, Sendable {
      /// What it is about.
      public var kind: Kind
      /// In the order of this key it is delivered.
      public var key: String
      /// What is delivered.
      public var payload: JSON

      /// A message of a kind, with the key in whose order it is delivered.
      public init(_ kind: Kind, key: String, payload: JSON) {
        (self.kind, self.key, self.payload) = (kind, key, payload)
      }
    }
  }
}

/// A draft that has been checked.
struct NewMessage: Sendable {
  private let draft: Ledger.OutboxMessage.Draft
  private let payload: String

  init(_ draft: Ledger.OutboxMessage.Draft, _ input: LedgerInput) throws(MemoryError) {
    self.draft = draft
    try input.name(draft.kind.rawValue, "the message's kind")
    try input.name(draft.key, "the message's key")
    payload = try input.json(draft.payload, "the message's payload")
  }

  func insert(
    of result: Ledger.TaskResult.ID?, at now: Timestamp, _ db: Database
  ) throws -> Ledger.OutboxMessage.ID {
    let id = Ledger.OutboxMessage.ID.generate(at: now)
    try db.cachedStatement(
      sql: """
        INSERT INTO outbox (id, kind, key, payload, result_id, next_attempt_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
        """
    ).execute(arguments: [id.rawValue, draft.kind.rawValue, draft.key, payload, result?.rawValue, now.milliseconds])
    return id
  }
}
