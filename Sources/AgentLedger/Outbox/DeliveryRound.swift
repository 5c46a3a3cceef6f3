import GRDB
import StoreRows
import StoreValues

/// What became of a batch, to be written.
struct DeliveryRound: Sendable {
  /// The sender's name in the rows that it has.
  let sender: String
  let batch: [Ledger.OutboxMessage]
  let outcomes: [Ledger.DeliveryOutcome]
  let maximumAttempts: Int
  let milliseconds: Int64?

  private static let beaten = "delivered, after another sender had delivered it"
  private static let late = "failed, after its lease had run out"

  /// Messages and the log, in one transaction.
  func write(at now: Timestamp, _ db: Database) throws -> Ledger.DeliveryReport {
    var report = Ledger.DeliveryReport()
    report.sent = batch.count
    var lines: [Line: Int] = [:]
    for (message, outcome) in zip(batch, outcomes) {
      // Whoever erased it meanwhile meant it.
      guard let stored = try Stored(message.id, db) else { continue }
      var line = Line(kind: message.kind.rawValue, success: outcome == .delivered, error: outcome.error)
      if outcome != .delivered, stored.sender != sender {
        report.overtaken += 1
        line.error = Self.late
      } else {
        switch try settle(stored, outcome, at: now, db) {
        case .delivered: report.delivered += 1
        case .dead: report.dead += 1
        case .waiting: report.waiting += 1
        default:
          report.overtaken += 1
          line.error = Self.beaten
        }
      }
      if case .notSent = outcome { continue }
      lines[line, default: 0] += 1
    }
    for (line, count) in lines.sorted(by: { $0.key < $1.key }) {
      try DeliveryRow.insert(
        NewDelivery(
          direction: .upload, kind: line.kind, count: count, success: line.success, error: line.error,
          milliseconds: milliseconds),
        at: now, db)
    }
    return report
  }

  /// - Returns: The status it has now; `nil` if another sender had delivered it.
  private func settle(
    _ stored: Stored, _ outcome: Ledger.DeliveryOutcome, at now: Timestamp, _ db: Database
  ) throws -> Ledger.OutboxMessage.Status? {
    let attempts = stored.attempts + 1
    switch outcome {
    case .delivered:
      guard !stored.isDelivered else { return nil }
      try db.cachedStatement(sql: Self.delivering).execute(arguments: [now.milliseconds, stored.seq])
      return .delivered
    case .tryAgain(let error, let after) where attempts < maximumAttempts:
      let wait = max(Backoff.deliveries.delay(after: attempts), min(after ?? .zero, Backoff.deliveries.longest))
      try postpone(stored, by: wait, attempts: 1, error: error, at: now, db)
      return .waiting
    case .notSent(let after):
      let wait = max(.milliseconds(1), min(after, Backoff.deliveries.longest))
      try postpone(stored, by: wait, attempts: 0, error: nil, at: now, db)
      return .waiting
    case .refused(let error), .tryAgain(let error, _):
      try db.cachedStatement(sql: Self.givingUp).execute(arguments: [now.milliseconds, error, stored.seq])
      return .dead
    }
  }

  private func postpone(
    _ stored: Stored, by wait: Duration, attempts: Int, error: String?, at now: Timestamp, _ db: Database
  ) throws {
    try db.cachedStatement(sql: Self.postponing).execute(
      arguments: [attempts, now.milliseconds, now.advanced(by: wait).milliseconds, error, stored.seq])
  }

  private static let delivering = """
    UPDATE outbox SET status = 'delivered', delivered_at = ?1, dead_at = NULL, lease_until = NULL, sender = NULL,
        attempts = attempts + 1, error = NULL
    WHERE seq = ?2
    """
  private static let postponing = """
    UPDATE outbox SET status = 'waiting', lease_until = NULL, sender = NULL, attempts = attempts + ?1, waits_since = ?2,
        next_attempt_at = ?3, error = coalesce(?4, error)
    WHERE seq = ?5
    """
  private static let givingUp = """
    UPDATE outbox SET status = 'dead', dead_at = ?1, lease_until = NULL, sender = NULL, attempts = attempts + 1, error = ?2
    WHERE seq = ?3
    """

  /// What the outbox says of a message now: another sender may have it, or have delivered it.
  private struct Stored {
    let seq: Int64
    let isDelivered: Bool
    let sender: String?
    let attempts: Int

    init?(_ id: Ledger.OutboxMessage.ID, _ db: Database) throws {
      let statement = try db.cachedStatement(
        sql: "SELECT seq, delivered_at IS NOT NULL, sender, attempts FROM outbox WHERE id = ?")
      guard let row = try Row.fetchOne(statement, arguments: [id.rawValue]) else { return nil }
      seq = try row.value(0)
      isDelivered = try row.value(1)
      sender = try row.value(2)
      attempts = try row.value(3)
    }
  }

  /// Messages of a batch that one line of the log counts.
  private struct Line: Hashable, Comparable {
    let kind: String
    let success: Bool
    var error: String?

    static func < (a: Self, b: Self) -> Bool {
      (a.kind, a.success ? 0 : 1, a.error ?? "") < (b.kind, b.success ? 0 : 1, b.error ?? "")
    }
  }
}

extension Ledger.DeliveryOutcome {
  /// As it is kept with the message.
  fileprivate var error: String? {
    switch self {
    case .delivered, .notSent: nil
    case .refused(let error), .tryAgain(let error, _): error
    }
  }

  private static let errorBytes = 2000

  /// The outcome with its error as a row can hold it: without credentials and NUL characters, and not too long.
  var storable: Self {
    func storable(_ error: String) -> String {
      CredentialRedactor.redact(error).text.replacing("\0", with: "\u{FFFD}").shortened(to: Self.errorBytes)
    }
    return switch self {
    case .delivered, .notSent: self
    case .refused(let error): .refused(storable(error))
    case .tryAgain(let error, let after): .tryAgain(storable(error), after: after)
    }
  }
}
