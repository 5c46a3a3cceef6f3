import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Counts a request of a person, or says when to try again if the rate limit is reached: then nothing is counted.
  ///
  /// A window begins with the first request after the end of the one before. A clock that was set back ends a window that
  /// would last longer than one.
  ///
  /// - Throws: `.notFound`.
  public func countRequest(of id: Person.ID) async throws(MemoryError) -> RequestDecision {
    try await database.write { db, now in try RequestCounter(db, now).count(id) }
  }

  /// The rate limits of tiers; of a tier that is not among them that of `free` holds.
  public func rateLimits(of kind: RateLimitKind) async throws(MemoryError) -> [Person.Tier: RateLimit] {
    try await database.read { db in try TierLimits.limits(kind, db) }
  }

  /// Sets the rate limit of a tier, of any name.
  ///
  /// - Parameter limit: `nil` for the default: an hour, in which there may be 100, 1000 and 10,000 requests, and 20, 100 and
  ///   1000 notices, of free, premium and enterprise.
  /// - Throws: `.invalid`.
  public func set(
    rateLimit limit: RateLimit?, of kind: RateLimitKind, for tier: Person.Tier
  ) async throws(MemoryError) {
    let input = database.input
    try input.name(tier.rawValue, "the tier")
    try input.rateLimit(limit?.count)
    _ = try input.milliseconds(limit?.window, "the rate limit's window", atLeast: .milliseconds(1))
    try await database.write { db, now in try TierLimits.set(kind, of: tier, to: limit, at: now, db) }
  }
}

/// Counts requests, in one transaction at one time.
private struct RequestCounter {
  private let db: Database
  private let now: Timestamp

  init(_ db: Database, _ now: Timestamp) { (self.db, self.now) = (db, now) }

  func count(_ id: Ledger.Person.ID) throws -> Ledger.RequestDecision {
    let statement = try db.cachedStatement(sql: Self.state)
    guard let row = try Row.fetchOne(statement, arguments: [id.rawValue]) else { throw MemoryError.noPerson(id) }
    let tier: Ledger.Person.Tier = try row.name(0)
    let limit = try TierLimits.limit(.requests, of: tier, db)
    let own: Int? = try row.value(1)
    let allowed = own ?? limit.count
    let resets = try row.time(ifAny: 2)
    let counted: Int = try row.value(3)
    let latest = now.advanced(by: limit.window)
    let isRunning = resets.map { now < $0 && $0 <= latest } ?? false
    let used = isRunning ? counted : 0
    if let allowed, used >= allowed {
      return Ledger.RequestDecision(isAllowed: false, remaining: 0, retryAt: resets)
    }
    let end = isRunning ? resets ?? latest : latest
    try db.cachedStatement(sql: Self.counting)
      .execute(arguments: [end.milliseconds, used < .max ? used + 1 : used, now.month, now.milliseconds, id.rawValue])
    return Ledger.RequestDecision(isAllowed: true, remaining: allowed.map { max(0, $0 - used - 1) }, retryAt: nil)
  }

  private static let state = "SELECT tier, rate_limit, window_resets, window_count FROM people WHERE id = ?"
  private static let counting = """
    UPDATE people SET requests = requests + 1, month_requests = CASE WHEN month = ?3 THEN month_requests + 1 ELSE 1 END,
        month = ?3, window_resets = ?1, window_count = ?2, last_active = ?4
    WHERE id = ?5
    """
}
