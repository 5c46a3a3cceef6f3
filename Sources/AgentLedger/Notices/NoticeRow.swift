import GRDB
import StoreRows
import StoreValues

/// Rows of `notices`.
enum NoticeRow {
  static let columns =
    "id, recipient, channel, type, level, subject, body, status, delivery, error, not_before, created_at, sent_at"
  static let byID = "SELECT \(columns) FROM notices WHERE id = ?"

  static func notice(_ row: Row) throws -> Ledger.Notice {
    Ledger.Notice(
      id: try row.id(0), recipient: try row.id(1), channel: try row.closed(2), type: try row.name(3),
      level: try row.closed(4), subject: try row.text(5), body: try row.text(6), status: try row.closed(7),
      delivery: try row.closed(ifAny: 8), error: try row.value(9), notBefore: try row.time(10),
      createdAt: try row.time(11), sentAt: try row.time(ifAny: 12))
  }

  static func find(_ id: Ledger.Notice.ID, _ db: Database) throws -> Ledger.Notice? {
    try Row.fetchOne(db.cachedStatement(sql: byID), arguments: [id.rawValue]).map(notice)
  }

  static func insert(_ notice: Ledger.Notice, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO notices (id, recipient, channel, type, level, subject, body, not_before, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      notice.id.rawValue, notice.recipient.rawValue, notice.channel.rawValue, notice.type.rawValue,
      notice.level.rawValue, notice.subject, notice.body, notice.notBefore.milliseconds, notice.createdAt.milliseconds,
    ])
  }

  static func preferences(
    of id: Ledger.Person.ID, _ db: Database
  ) throws -> Ledger.NoticePreferences {
    let statement = try db.cachedStatement(sql: "SELECT preferences FROM people WHERE id = ?")
    guard let text = try String.fetchOne(statement, arguments: [id.rawValue]) else { throw MemoryError.noPerson(id) }
    return try Ledger.NoticePreferences(stored: text, of: id)
  }

  // MARK: History

  /// Notices, those added last first.
  static func page(
    of recipient: Ledger.Person.ID?, _ status: Ledger.Notice.Status?, after last: Ledger.Notice.ID?, limit: Int,
    _ db: Database
  ) throws -> [Ledger.Notice] {
    var (time, seq) = (Int64.max, Int64.max)
    if let last {
      let statement = try db.cachedStatement(sql: "SELECT created_at, seq FROM notices WHERE id = ?")
      guard let row = try Row.fetchOne(statement, arguments: [last.rawValue]) else { throw MemoryError.noNotice(last) }
      (time, seq) = (try row.value(0), try row.value(1))
    }
    return try Row.fetchAll(
      db.cachedStatement(sql: recipient == nil ? all : ofPerson),
      arguments: [recipient?.rawValue, status?.rawValue, time, seq, limit]
    ).map(notice)
  }

  static let ofPerson = """
    SELECT \(columns) FROM notices WHERE recipient = ?1 AND (?2 IS NULL OR status = ?2) AND (created_at, seq) < (?3, ?4)
    ORDER BY created_at DESC, seq DESC LIMIT ?5
    """
  static let all = """
    SELECT \(columns) FROM notices WHERE ?1 IS NULL AND (?2 IS NULL OR status = ?2) AND (created_at, seq) < (?3, ?4)
    ORDER BY created_at DESC, seq DESC LIMIT ?5
    """
}

/// A notice that is to be written, with the rows of the outbox by which it leaves.
struct NewNotice: Sendable {
  let type: Ledger.Notice.Kind
  let level: Ledger.Notice.Level
  let text: Ledger.NoticeText

  /// - Parameter channels: `nil` for those that the recipient prefers.
  /// - Returns: A notice for each channel; none if the recipient wants none of this kind.
  /// - Throws: `.notFound`.
  func insert(
    to recipient: Ledger.Person.ID, by channels: [Ledger.Notice.Channel]?, at now: Timestamp, _ input: LedgerInput,
    _ db: Database
  ) throws -> [Ledger.Notice] {
    let person = try PersonRow.require(recipient, at: now, db)
    let preferences = try NoticeRow.preferences(of: recipient, db)
    guard preferences.kinds?.contains(type) ?? true else { return [] }
    let schedule = try NoticeSchedule(of: person, preferences, at: now, db)
    return try (channels ?? preferences.channels).map { channel in
      let notBefore = try schedule.time(of: level, by: channel, db)
      let notice = Ledger.Notice(
        id: .generate(at: now), recipient: recipient, channel: channel, type: type, level: level, subject: text.subject,
        body: text.body, status: .pending, notBefore: notBefore, createdAt: now)
      try NoticeRow.insert(notice, db)
      // A key of its own: a notice waits for no other, a critical one not for one that is held back.
      let message = Ledger.OutboxMessage.Draft(
        .notices, key: notice.id.rawValue, payload: ["notice": .string(notice.id.rawValue)], notBefore: notBefore)
      _ = try NewMessage(message, input).insert(of: nil, at: now, db)
      return notice
    }
  }
}

extension Ledger.OutboxMessage.Kind {
  /// Of notices: the key and the member `notice` of the payload are the notice's id.
  public static let notices = Self(rawValue: "notices")
}

extension MemoryError {
  static func noNotice(_ id: Ledger.Notice.ID) -> MemoryError {
    MemoryError(.notFound, "no notice \"\(id)\"; look for its id with notices(to:status:after:limit:)")
  }
}
