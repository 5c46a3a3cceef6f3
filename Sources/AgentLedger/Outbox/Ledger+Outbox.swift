import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Puts a message into the outbox.
  ///
  /// - Throws: `.invalid`, `.limitExceeded`.
  @discardableResult
  public func put(_ message: OutboxMessage.Draft) async throws(MemoryError) -> OutboxMessage.ID {
    guard let id = try await put([message]).first else {
      throw MemoryError(.unavailable, "the ledger returned no message; report this")
    }
    return id
  }

  /// Puts messages into the outbox in one commit, or none of them; those of a key are delivered in this order.
  ///
  /// - Returns: An id for each message, in order.
  @discardableResult
  public func put(_ messages: [OutboxMessage.Draft]) async throws(MemoryError) -> [OutboxMessage.ID] {
    let input = database.input
    try input.batch(messages.count, "messages")
    let checked = try messages.map { (draft) throws(MemoryError) in try NewMessage(draft, input) }
    return try await database.write { db, now in
      let new = checked.map { (OutboxMessage.ID.generate(at: now), $0, TaskResult.ID?.none) }
      try OutboxRow.insert(new, at: now, db)
      return new.map(\.0)
    }
  }

  /// The message with an id; `nil` if there is none.
  public func message(_ id: OutboxMessage.ID) async throws(MemoryError) -> OutboxMessage? {
    try await database.read { db in try OutboxRow.find(id, db) }
  }

  /// What is still to be delivered, oldest first.
  ///
  /// - Parameter last: The last one of the page before; `nil` for the first page.
  /// - Parameter limit: 1 to `limits.results`.
  /// - Throws: `.notFound` if the last one of the page before is gone.
  public func undelivered(
    after last: OutboxMessage.ID? = nil, limit: Int = 50
  ) async throws(MemoryError) -> [OutboxMessage] {
    try database.input.page(limit)
    return try await database.read { db in
      let seq = try last.map { try OutboxRow.place(of: $0, db).seq } ?? 0
      return try Row.fetchAll(db, sql: OutboxRow.undelivered, arguments: [seq, limit]).map(OutboxRow.message)
    }
  }

  /// What was given up, in the order in which it was; `retry(_:)` puts it back.
  ///
  /// - Parameter last: The last one of the page before; `nil` for the first page.
  /// - Throws: `.notFound` if the last one of the page before is gone, or is no dead letter any more.
  public func deadLetters(
    after last: OutboxMessage.ID? = nil, limit: Int = 50
  ) async throws(MemoryError) -> [OutboxMessage] {
    try database.input.page(limit)
    return try await database.read { db in
      var place = (seq: Int64.min, deadAt: Int64.min)
      if let last {
        let (seq, deadAt) = try OutboxRow.place(of: last, db)
        guard let deadAt else { throw MemoryError.noMessage(last) }
        place = (seq, deadAt)
      }
      return try Row.fetchAll(db, sql: OutboxRow.dead, arguments: [place.deadAt, place.seq, limit])
        .map(OutboxRow.message)
    }
  }

  /// Puts a dead letter back, with its attempts counted anew: it is delivered before those of its key that came after it and
  /// are not delivered yet.
  ///
  /// - Throws: `.notFound`; `.conflict` if it is no dead letter.
  @discardableResult
  public func retry(_ id: OutboxMessage.ID) async throws(MemoryError) -> OutboxMessage {
    try await database.write(grows: false) { db, now in try OutboxQueue(db, now).putBack(id) }
  }

  /// The results of a task, oldest first: one for each attempt that gave one.
  public func results(of task: Task.ID) async throws(MemoryError) -> [TaskResult] {
    try await database.read { db in try TaskResultRow.of(task, db) }
  }

  /// The result with an id; `nil` if there is none.
  public func result(_ id: TaskResult.ID) async throws(MemoryError) -> TaskResult? {
    try await database.read { db in try TaskResultRow.find(id, db) }
  }
}
