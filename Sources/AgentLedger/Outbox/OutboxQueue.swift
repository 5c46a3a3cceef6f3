import GRDB
import StoreRows
import StoreValues

/// What happens to messages, in one transaction at one time.
struct OutboxQueue {
  let db: Database
  let now: Timestamp

  init(_ db: Database, _ now: Timestamp) {
    (self.db, self.now) = (db, now)
  }

  // MARK: Looking

  /// - Returns: Whether a round would have something to do; otherwise when the next wait ends, if there is one.
  static func outlook(
    of kinds: [Ledger.OutboxMessage.Kind], at now: Timestamp, _ db: Database
  ) throws -> (isDue: Bool, next: Timestamp?) {
    let ready =
      kinds.isEmpty
      ? try Row.fetchOne(db, sql: nextReady(nil), arguments: [1])
      : try kinds.lazy.compactMap { try Row.fetchOne(db, sql: nextReady($0), arguments: [1, $0.rawValue]) }.first
    if ready != nil { return (true, nil) }
    if let latest = try Int64.fetchOne(db, sql: latestWait), latest > now.milliseconds { return (true, nil) }
    let waits = [try Int64.fetchOne(db, sql: nextWaking), try Int64.fetchOne(db, sql: nextLapse)].compactMap(\.self)
    guard let first = waits.min() else { return (false, nil) }
    return (first <= now.milliseconds, Timestamp(milliseconds: first))
  }

  static let latestWait = """
    SELECT waits_since FROM outbox WHERE status IN ('waiting', 'sending') ORDER BY waits_since DESC LIMIT 1
    """
  static let nextWaking =
    "SELECT next_attempt_at FROM outbox WHERE status = 'waiting' ORDER BY next_attempt_at LIMIT 1"
  static let nextLapse = "SELECT lease_until FROM outbox WHERE status = 'sending' ORDER BY lease_until LIMIT 1"

  /// Parameters: how many; the kind, if it is of one.
  static func nextReady(_ kind: Ledger.OutboxMessage.Kind?) -> String {
    """
    SELECT seq, attempts, length(CAST(payload AS BLOB)) FROM outbox
    WHERE status = 'ready'\(kind == nil ? "" : " AND kind = ?2") ORDER BY seq LIMIT ?1
    """
  }

  // MARK: Leasing

  /// Gives the first messages of their keys to a sender, oldest first.
  func lease(_ options: Ledger.DeliveryOptions, to sender: String) throws -> [Ledger.OutboxMessage] {
    try recover()
    let statement = try db.cachedStatement(sql: Self.leasing)
    return try batch(options).compactMap { seq in
      try Row.fetchOne(
        statement,
        arguments: [now.milliseconds, now.advanced(by: options.lease).milliseconds, sender, seq]
      ).map(OutboxRow.message)
    }
  }

  /// What time brings: messages whose time has come are ready, and leases that ran out are taken back.
  func recover() throws {
    try beginWaitsAgain()
    try takeBack()
    try db.cachedStatement(sql: Self.waking).execute(arguments: [now.milliseconds])
  }

  static let leasing = """
    UPDATE outbox SET status = 'sending', waits_since = ?1, lease_until = ?2, sender = ?3 WHERE seq = ?4
    RETURNING \(OutboxRow.columns)
    """

  static let waking = "UPDATE outbox SET status = 'ready' WHERE status = 'waiting' AND next_attempt_at <= ?"

  /// When the clock was set back behind the beginning of a wait, the wait begins again: nothing waits longer than it was to.
  /// A message that must not be sent before a time keeps that time.
  private func beginWaitsAgain() throws {
    try db.cachedStatement(sql: Self.beginningAgain).execute(arguments: [now.milliseconds])
  }

  static let beginningAgain = """
    UPDATE outbox SET waits_since = ?1, lease_until = ?1 + (lease_until - waits_since),
        next_attempt_at = max(?1 + (next_attempt_at - waits_since), coalesce(not_before, ?1 + (next_attempt_at - waits_since)))
    WHERE status IN ('waiting', 'sending') AND waits_since > ?1
    """

  /// Messages whose sender was silent until its lease ran out are sent again by the next one; the log says so.
  private func takeBack() throws {
    let rows = try Row.fetchAll(db.cachedStatement(sql: Self.takingBack), arguments: [now.milliseconds])
    var counts: [String: Int] = [:]
    for row in rows { counts[try row.text(0), default: 0] += 1 }
    for (kind, count) in counts.sorted(by: { $0.key < $1.key }) {
      try DeliveryRow.insert(
        NewDelivery(
          direction: .upload, kind: kind, count: count, success: false, error: "its sender was silent past its lease"),
        at: now, db)
    }
  }

  static let takingBack = """
    UPDATE outbox SET status = 'ready', lease_until = NULL, sender = NULL WHERE status = 'sending' AND lease_until <= ?
    RETURNING kind
    """

  /// The oldest ones. The batch is halved for each failed attempt of a message in it: one that hangs its sink is soon sent
  /// alone, and takes no others with it.
  private func batch(_ options: Ledger.DeliveryOptions) throws -> [Int64] {
    let candidates =
      try options.kinds.isEmpty
      ? Row.fetchAll(db.cachedStatement(sql: Self.nextReady(nil)), arguments: [options.batchSize])
      : Set(options.kinds).flatMap { kind in
        try Row.fetchAll(
          db.cachedStatement(sql: Self.nextReady(kind)), arguments: [options.batchSize, kind.rawValue])
      }
    let ready = try candidates.map { row -> (seq: Int64, attempts: Int, bytes: Int) in
      (try row.value(0), try row.value(1), try row.value(2))
    }.sorted { $0.seq < $1.seq }
    var (batch, size, bytes) = ([Int64](), options.batchSize, 0)
    for message in ready {
      let smaller = min(size, max(1, options.batchSize >> min(message.attempts, 62)))
      let (sum, overflow) = bytes.addingReportingOverflow(message.bytes)
      guard batch.count < smaller, !overflow, batch.isEmpty || sum <= Self.batchBytes else { break }
      batch.append(message.seq)
      (size, bytes) = (smaller, sum)
    }
    return batch
  }
  private static let batchBytes = 8 << 20

  // MARK: Putting back

  /// A dead letter takes the place among the undelivered ones of its key that it had.
  ///
  /// - Returns: The message as it is then.
  /// - Throws: `.notFound`; `.conflict` if it is no dead letter.
  func putBack(_ id: Ledger.OutboxMessage.ID) throws -> Ledger.OutboxMessage {
    guard let message = try OutboxRow.find(id, db) else { throw MemoryError.noMessage(id) }
    guard message.status == .dead else {
      throw MemoryError(
        .conflict, "message \"\(id)\" is \(message.status.rawValue); only a dead letter can be put back")
    }
    let seq = try OutboxRow.place(of: id, db).seq
    let head = try Row.fetchOne(db.cachedStatement(sql: Self.firstOfKey), arguments: [message.key])
    let first: (seq: Int64, status: String)? = try head.map { (try $0.value(0), try $0.value(1)) }
    // One that a sender has keeps its turn: two of a key are never sent at once.
    let isNext = first.map { $0.seq > seq && $0.status != "sending" } ?? true
    if let first, isNext {
      try db.execute(sql: "UPDATE outbox SET status = 'queued' WHERE seq = ?", arguments: [first.seq])
    }
    try db.execute(
      sql: """
        UPDATE outbox SET status = ?1, dead_at = NULL, attempts = 0, next_attempt_at = ?2, waits_since = ?2 WHERE seq = ?3
        """, arguments: [isNext ? "ready" : "queued", now.milliseconds, seq])
    return try OutboxRow.find(id, db) ?? message
  }

  /// The one whose turn it is.
  static let firstOfKey = """
    SELECT seq, status FROM outbox WHERE key = ? AND delivered_at IS NULL AND dead_at IS NULL AND status <> 'queued'
    ORDER BY seq LIMIT 1
    """
}
