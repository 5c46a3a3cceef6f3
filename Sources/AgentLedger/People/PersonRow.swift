import GRDB
import StoreRows
import StoreValues

/// Rows of `people`.
enum PersonRow {
  static let columns = """
    id, handle, tier, requests, month, month_requests, rate_limit, window_resets, last_active, email, verifier IS NOT NULL, zone, \
    created_at
    """

  static let byID = "SELECT \(columns) FROM people WHERE id = ?"
  static let byHandle = "SELECT \(columns) FROM people WHERE handle = ?"

  /// - Parameter now: Requests of another month than its are none of this month.
  static func person(_ row: Row, at now: Timestamp) throws -> Ledger.Person {
    let month: Int64 = try row.value(4)
    return Ledger.Person(
      id: try row.id(0), handle: try row.text(1), tier: try row.name(2), requests: try row.value(3),
      requestsThisMonth: month == now.month ? try row.value(5) : 0, rateLimit: try row.value(6),
      rateLimitResetsAt: try row.time(ifAny: 7), lastActive: try row.time(ifAny: 8), email: try row.value(9),
      hasPassword: try row.value(10), zone: try row.text(11), createdAt: try row.time(12))
  }

  static func find(_ id: Ledger.Person.ID, at now: Timestamp, _ db: Database) throws -> Ledger.Person? {
    try Row.fetchOne(db.cachedStatement(sql: byID), arguments: [id.rawValue]).map { try person($0, at: now) }
  }

  static func find(handle: String, at now: Timestamp, _ db: Database) throws -> Ledger.Person? {
    try Row.fetchOne(db.cachedStatement(sql: byHandle), arguments: [handle]).map { try person($0, at: now) }
  }

  /// - Throws: `.notFound`.
  static func require(_ id: Ledger.Person.ID, at now: Timestamp, _ db: Database) throws -> Ledger.Person {
    guard let person = try find(id, at: now, db) else { throw MemoryError.noPerson(id) }
    return person
  }

  static func refuseTaken(handle: String, by owner: Ledger.Person.ID?, _ db: Database) throws {
    let statement = try db.cachedStatement(sql: "SELECT id FROM people WHERE handle = ?")
    guard let id = try String.fetchOne(statement, arguments: [handle]), id != owner?.rawValue else { return }
    throw MemoryError(
      .conflict, "the handle \"\(handle.shortened(to: 60))\" is taken by person \"\(id)\"; choose another")
  }
}

/// A draft that has been checked.
struct NewPerson: Sendable {
  private let draft: Ledger.Person.Draft
  private let preferences: String

  init(_ draft: Ledger.Person.Draft, _ input: LedgerInput) throws(MemoryError) {
    var draft = draft
    draft.handle = draft.handle.canonicallyComposed
    draft.tier = draft.tier.composed
    try input.identifier(draft.id, "the person's id")
    try input.person(handle: draft.handle, tier: draft.tier, email: draft.email, zone: draft.zone)
    try input.rateLimit(draft.rateLimit)
    preferences = try input.preferences(draft.preferences)
    self.draft = draft
  }

  func insert(at now: Timestamp, _ db: Database) throws -> Ledger.Person {
    let id = draft.id ?? .generate(at: now)
    if draft.id != nil, try PersonRow.find(id, at: now, db) != nil {
      throw MemoryError(.conflict, "there is a person \"\(id)\" already; leave the id to the ledger")
    }
    try PersonRow.refuseTaken(handle: draft.handle, by: nil, db)
    try db.cachedStatement(
      sql: """
        INSERT INTO people (id, handle, tier, month, rate_limit, email, zone, preferences, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      id.rawValue, draft.handle, draft.tier.rawValue, now.month, draft.rateLimit, draft.email, draft.zone, preferences,
      now.milliseconds,
    ])
    return try PersonRow.require(id, at: now, db)
  }
}

/// Changes that have been checked.
struct PersonChanges: Sendable {
  private let changes: Ledger.Person.Changes

  init(_ changes: Ledger.Person.Changes, _ input: LedgerInput) throws(MemoryError) {
    var changes = changes
    changes.handle = changes.handle?.canonicallyComposed
    changes.tier = changes.tier?.composed
    try input.person(handle: changes.handle, tier: changes.tier, email: changes.email ?? nil, zone: changes.zone)
    try input.rateLimit(changes.rateLimit ?? nil)
    self.changes = changes
  }

  func make(of id: Ledger.Person.ID, at now: Timestamp, _ db: Database) throws -> Ledger.Person {
    _ = try PersonRow.require(id, at: now, db)
    if let handle = changes.handle { try PersonRow.refuseTaken(handle: handle, by: id, db) }
    try db.cachedStatement(
      sql: """
        UPDATE people SET handle = ifnull(?1, handle), tier = ifnull(?2, tier), zone = ifnull(?3, zone),
            email = CASE WHEN ?4 THEN ?5 ELSE email END, rate_limit = CASE WHEN ?6 THEN ?7 ELSE rate_limit END
        WHERE id = ?8
        """
    ).execute(arguments: [
      changes.handle, changes.tier?.rawValue, changes.zone, changes.email != nil, changes.email ?? nil,
      changes.rateLimit != nil, changes.rateLimit ?? nil, id.rawValue,
    ])
    return try PersonRow.require(id, at: now, db)
  }
}

extension LedgerInput {
  func person(
    handle: String?, tier: Ledger.Person.Tier?, email: String?, zone: String?
  ) throws(MemoryError) {
    try name(handle, "the person's handle")
    try name(tier?.rawValue, "the person's tier")
    try name(email, "the person's email")
    if let email, !email.isPlausibleAddress {
      throw MemoryError(
        .invalid, "the person's email \"\(email.shortened(to: 60))\" is no address; give one such as ada@example.org")
    }
    if let zone { _ = try ZoneClock(zone) }
  }

  func rateLimit(_ requests: Int?) throws(MemoryError) {
    guard let requests, !(1...1_000_000_000).contains(requests) else { return }
    throw MemoryError(.invalid, "the rate limit is \(requests); it must be from 1 to 1000000000 requests a window")
  }
}

extension String {
  /// One `@` between two texts without spaces: whether mail arrives only the mail's server knows.
  fileprivate var isPlausibleAddress: Bool {
    let parts = split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && !contains { $0.isWhitespace }
  }
}

extension Ledger.Person.Tier {
  /// In the form that is stored.
  var composed: Self { Self(rawValue: rawValue.canonicallyComposed) }
}

extension Timestamp {
  /// Months of UTC since January 1970.
  var month: Int64 {
    let (year, month, _) = Self.date(ofDay: milliseconds.flooredDivision(by: 86_400_000).quotient)
    return (year - 1970) * 12 + month - 1
  }
}

extension MemoryError {
  static func noPerson(_ id: Ledger.Person.ID) -> MemoryError {
    MemoryError(.notFound, "no person \"\(id)\"; add the person first")
  }
}
