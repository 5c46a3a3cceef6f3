import GRDB
import StoreRows
import StoreValues

/// When a notice to a person may be sent, in one transaction at one time.
struct NoticeSchedule {
  private let recipient: Ledger.Person.ID
  private let quietHours: Ledger.QuietHours?
  private let clock: ZoneClock
  private let limit: Ledger.RateLimit
  private let now: Timestamp

  init(
    of person: Ledger.Person, _ preferences: Ledger.NoticePreferences, at now: Timestamp, _ db: Database
  ) throws {
    recipient = person.id
    quietHours = preferences.quietHours
    clock = try ZoneClock(person.zone)
    limit = try TierLimits.limit(.notices, of: person.tier, db)
    self.now = now
  }

  /// Now for a critical one. Others wait until the rate limit has room, and then until the end of quiet hours: those that were
  /// held back come together, but no more than the limit allows.
  func time(of level: Ledger.Notice.Level, by channel: Ledger.Notice.Channel, _ db: Database) throws -> Timestamp {
    guard level != .critical else { return now }
    let free = try max(now, timeOfRoom(channel, db))
    return quietHours?.end(at: free, by: clock) ?? free
  }

  private func timeOfRoom(_ channel: Ledger.Notice.Channel, _ db: Database) throws -> Timestamp {
    guard let count = limit.count, count > 0 else { return now }
    // A window after the first of the last `count` notices, those that wait included.
    let first = try Int64.fetchOne(
      db.cachedStatement(sql: Self.earlier), arguments: [recipient.rawValue, channel.rawValue, count - 1])
    guard let first else { return now }
    return Timestamp(milliseconds: first).advanced(by: limit.window)
  }

  static let earlier = """
    SELECT not_before FROM notices WHERE recipient = ?1 AND channel = ?2 AND level <> 'critical'
    ORDER BY not_before DESC LIMIT 1 OFFSET ?3
    """
}
