import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// Rows of `outbox`.
enum OutboxRow {
  static let columns =
    "id, kind, key, payload, result_id, status, attempts, next_attempt_at, delivered_at, dead_at, error, created_at"

  static func message(_ row: Row) throws -> Ledger.OutboxMessage {
    Ledger.OutboxMessage(
      id: try row.id(0), kind: try row.name(1), key: try row.text(2), payload: try row.json(3),
      result: try row.id(ifAny: 4), status: try row.closed(5), attempts: try row.value(6),
      nextAttemptAt: try row.time(7), deliveredAt: try row.time(ifAny: 8), deadAt: try row.time(ifAny: 9),
      error: try row.value(10), createdAt: try row.time(11))
  }

  static func find(_ id: Ledger.OutboxMessage.ID, _ db: Database) throws -> Ledger.OutboxMessage? {
    try Row.fetchOne(db.cachedStatement(sql: byID), arguments: [id.rawValue]).map(message)
  }

  static let byID = "SELECT \(columns) FROM outbox WHERE id = ?"

  /// Parameters: the number of the last one of the page before, or 0; how many.
  static let undelivered = """
    SELECT \(columns) FROM outbox WHERE delivered_at IS NULL AND dead_at IS NULL AND seq > ? ORDER BY seq LIMIT ?
    """

  /// Parameters: when the last one of the page before was given up, and its number; how many.
  static let dead = """
    SELECT \(columns) FROM outbox WHERE dead_at IS NOT NULL AND (dead_at, seq) > (?, ?) ORDER BY dead_at, seq LIMIT ?
    """

  /// - Throws: `.notFound`.
  static func place(of id: Ledger.OutboxMessage.ID, _ db: Database) throws -> (seq: Int64, deadAt: Int64?) {
    let statement = try db.cachedStatement(sql: "SELECT seq, dead_at FROM outbox WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [id.rawValue]) else { throw MemoryError.noMessage(id) }
    return (try row.value(0), try row.value(1))
  }

  private static let insertion = RowInsert(
    into: "outbox", "id, kind, key, payload, result_id, not_before, next_attempt_at, waits_since, created_at")

  /// A trigger makes the first of its key ready.
  static func insert(
    _ messages: [(id: Ledger.OutboxMessage.ID, message: NewMessage, result: Ledger.TaskResult.ID?)], at now: Timestamp,
    _ db: Database
  ) throws {
    try insertion(messages, db) { new, row in
      try row.bind(new.id.rawValue)
      try row.bind(new.message.draft.kind.rawValue)
      try row.bind(new.message.draft.key)
      try row.bind(new.message.payload)
      try row.bind(new.result?.rawValue)
      try row.bind(new.message.draft.notBefore?.milliseconds)
      try row.bind(max(now, new.message.draft.notBefore ?? now).milliseconds)
      try row.bind(now.milliseconds)
      try row.bind(now.milliseconds)
    }
  }
}

/// A draft that has been checked.
struct NewMessage: Sendable {
  let draft: Ledger.OutboxMessage.Draft
  let payload: String

  init(_ draft: Ledger.OutboxMessage.Draft, _ input: LedgerInput) throws(MemoryError) {
    var draft = draft
    draft.key = draft.key.canonicallyComposed
    try input.name(draft.kind.rawValue, "the message's kind")
    try input.name(draft.key, "the message's key")
    try input.time(draft.notBefore, "the message's notBefore")
    payload = try input.json(draft.payload, "the message's payload")
    self.draft = draft
  }

  @discardableResult
  func insert(
    of result: Ledger.TaskResult.ID?, at now: Timestamp, _ db: Database
  ) throws -> Ledger.OutboxMessage.ID {
    let id = Ledger.OutboxMessage.ID.generate(at: now)
    try OutboxRow.insert([(id, self, result)], at: now, db)
    return id
  }
}

extension MemoryError {
  static func noMessage(_ id: Ledger.OutboxMessage.ID) -> MemoryError {
    MemoryError(.notFound, "no message \"\(id)\" in the outbox; look for its id with undelivered(after:limit:)")
  }
}
