import Foundation
import GRDB
import StoreRows
import StoreValues

/// Rows of `pages`, in one transaction at one time.
struct PageCache {
  let db: Database
  let now: Timestamp

  init(_ db: Database, _ now: Timestamp) {
    (self.db, self.now) = (db, now)
  }

  static let columns = "key, data, type, size, created_at, expires_at, access_count, last_accessed"

  static func page(_ row: Row) throws -> Ledger.Page {
    let data: Data = try row.value(1)
    return Ledger.Page(
      key: try row.text(0), data: String(decoding: data, as: UTF8.self), type: try row.closed(2),
      size: try row.value(3), createdAt: try row.time(4), expiresAt: try row.time(5), accessCount: try row.value(6),
      lastAccessed: try row.time(7))
  }

  // MARK: Getting

  /// A page that is still fresh; the access is counted, and the hit or the miss.
  func get(_ key: String) throws -> Ledger.Page? {
    let page = try Row.fetchOne(db.cachedStatement(sql: Self.access), arguments: [now.milliseconds, key]).map(Self.page)
    let hour = Self.hour(of: now)
    try db.cachedStatement(sql: Self.counting).execute(arguments: [hour, page == nil ? 0 : 1, page == nil ? 1 : 0])
    return page
  }

  static let access = """
    UPDATE pages SET access_count = access_count + 1, last_accessed = ?1 WHERE key = ?2 AND expires_at > ?1
    RETURNING \(columns)
    """
  /// Where nothing can be counted.
  static let fresh = "SELECT \(columns) FROM pages WHERE key = ?2 AND expires_at > ?1"
  private static let counting = """
    INSERT INTO page_hours (hour, hits, misses) VALUES (?1, ?2, ?3)
    ON CONFLICT (hour) DO UPDATE SET hits = hits + ?2, misses = misses + ?3
    """
  static let rates = "SELECT hour, hits, misses FROM page_hours WHERE hour >= ? AND hour < ? ORDER BY hour"

  static let millisecondsPerHour: Int64 = 3_600_000

  /// Hours since 1970, rounded down also before.
  static func hour(of time: Timestamp) -> Int64 {
    let (quotient, remainder) = time.milliseconds.quotientAndRemainder(dividingBy: millisecondsPerHour)
    return remainder < 0 ? quotient - 1 : quotient
  }

  // MARK: Putting

  /// - Parameter most: Bytes of all pages together.
  func put(_ new: NewPage, most: Int) throws -> Ledger.Page {
    try removeExpired(atMost: Self.slice)
    let statement = try db.cachedStatement(sql: Self.putting)
    let row = try Row.fetchOne(
      statement,
      arguments: [
        new.key, Data(new.data.utf8), new.type.rawValue, new.data.utf8.count, now.milliseconds,
        now.advanced(by: new.lifetime).milliseconds,
      ])
    guard let row else { throw MemoryError(.unavailable, "the ledger returned no page; report this") }
    try makeRoom(most: most, keeping: new.key)
    return try Self.page(row)
  }

  private static let putting = """
    INSERT INTO pages (key, data, type, size, created_at, expires_at, last_accessed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5)
    ON CONFLICT (key) DO UPDATE SET data = ?2, type = ?3, size = ?4, created_at = ?5, expires_at = ?6, access_count = 0,
        last_accessed = ?5
    RETURNING \(columns)
    """

  /// Removes the least recently used pages until the others fit.
  private func makeRoom(most: Int, keeping key: String) throws {
    var excess = try (Int.fetchOne(db.cachedStatement(sql: "SELECT bytes FROM page_bytes")) ?? 0) - most
    while excess > 0 {
      let rows = try Row.fetchAll(db.cachedStatement(sql: Self.leastUsed), arguments: [key, Self.slice])
      guard !rows.isEmpty else { return }
      for row in rows where excess > 0 {
        let (seq, size): (Int64, Int) = (try row.value(0), try row.value(1))
        try db.cachedStatement(sql: "DELETE FROM pages WHERE seq = ?").execute(arguments: [seq])
        excess -= size
      }
    }
  }

  static let leastUsed =
    "SELECT seq, size FROM pages WHERE key <> ? ORDER BY last_accessed, seq LIMIT ?"

  // MARK: Removing

  /// Expired pages that one call of `put` removes, at most: what is left, the next ones do.
  static let slice = 64

  @discardableResult
  func removeExpired(atMost count: Int) throws -> Int {
    try db.cachedStatement(sql: Self.removingExpired).execute(arguments: [now.milliseconds, count])
    return db.changesCount
  }

  static let removingExpired = """
    DELETE FROM pages WHERE seq IN (SELECT seq FROM pages WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
    """
}

/// A page that has been checked.
struct NewPage: Sendable {
  let key: String
  let data: String
  let type: Ledger.PageType
  let lifetime: Duration
}
