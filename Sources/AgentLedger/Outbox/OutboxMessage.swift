import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// What is to be delivered to another system, at least once and in order per key.
  public struct OutboxMessage: Hashable, Sendable, Codable, Identifiable {
    public typealias ID = Identifier<OutboxMessage>

    public let id: ID
    public let kind: Kind
    /// Messages of one key are delivered in the order in which they were written.
    public let key: String
    public let payload: JSON
    /// The result that it delivers, if it does.
    public let result: TaskResult.ID?
    public let attempts: Int
    public let nextAttemptAt: Timestamp
    public let deliveredAt: Timestamp?
    /// When it was given up; it can be put back.
    public let deadAt: Timestamp?
    public let error: String?
    public let createdAt: Timestamp

    /// What it is about. An open set.
    public struct Kind: OpenName {
      public let rawValue: String
      public init(rawValue: String) { self.rawValue = rawValue }

      public static let tasks = Kind(rawValue: "tasks")
      public static let results = Kind(rawValue: "results")
      public static let signals = Kind(rawValue: "signals")
    }

    /// A message to be put into the outbox.
    public struct Draft: Hashable, Sendable {
      public var kind: Kind
      public var key: String
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
