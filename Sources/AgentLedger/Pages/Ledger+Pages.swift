import GRDB
import SQLiteStorage
import StoreRows
public import StoreValues

extension Ledger {
  /// Keeps a page under its key in place of the one that is there; expired pages go, and the least recently used ones as far
  /// as it needs their room.
  ///
  /// - Parameter lifetime: How long it is fresh; `nil` for that of its type in `OpenOptions.pageLifetimes`.
  /// - Throws: `.invalid`; `.limitExceeded` if it is larger than `limits.pageBytes`.
  @discardableResult
  public func put(
    page key: String, _ data: String, type: PageType = .html, lifetime: Duration? = nil
  ) async throws(MemoryError) -> Page {
    let input = database.input
    try input.name(key, "the page's key")
    let most = input.limits.pageBytes
    guard data.utf8.count <= most else {
      throw MemoryError(
        .limitExceeded,
        "page \"\(key.shortened(to: 60))\" has \(data.utf8.count) bytes; all pages together have at most \(most): leave it out, "
          + "or raise limits.pageBytes")
    }
    let lifetime = lifetime ?? database.pageLifetimes[type]
    _ = try input.milliseconds(lifetime, "the page's lifetime", atLeast: .milliseconds(1))
    let page = NewPage(key: key.canonicallyComposed, data: data, type: type, lifetime: lifetime)
    return try await database.write { db, now in try PageCache(db, now).put(page, most: most) }
  }

  /// The page under a key, if it is there and fresh. Counts the access, and a hit or a miss of this hour; in a ledger that is
  /// only read, nothing is counted.
  public func page(_ key: String) async throws(MemoryError) -> Page? {
    try database.input.name(key, "the page's key")
    let key = key.canonicallyComposed
    guard database.stored.readOnlyReason == nil else {
      let now = database.clock.now()
      return try await database.read { db in
        try Row.fetchOne(db, sql: PageCache.fresh, arguments: [now.milliseconds, key]).map(PageCache.page)
      }
    }
    return try await database.write(grows: false) { db, now in try PageCache(db, now).get(key) }
  }

  /// Removes a page.
  ///
  /// - Returns: Whether it was there.
  @discardableResult
  public func remove(page key: String) async throws(MemoryError) -> Bool {
    try database.input.name(key, "the page's key")
    return try await database.write(grows: false) { db, _ in
      try db.cachedStatement(sql: "DELETE FROM pages WHERE key = ?").execute(arguments: [key.canonicallyComposed])
      return db.changesCount > 0
    }
  }

  /// Removes the expired pages, in commits of 64 each.
  ///
  /// - Returns: How many.
  @discardableResult
  public func removeExpiredPages() async throws(MemoryError) -> Int {
    var count = 0
    while true {
      let removed = try await database.write(grows: false) { db, now in
        try PageCache(db, now).removeExpired(atMost: PageCache.slice)
      }
      count += removed
      if removed < PageCache.slice { return count }
    }
  }

  /// Hits and misses of pages by the hour, oldest first; hours in which none was asked for are left out.
  ///
  /// - Parameter since: From its hour on; `nil` for all.
  /// - Parameter until: Before its hour; `nil` for all.
  public func pageHitRates(
    since: Timestamp? = nil, until: Timestamp? = nil
  ) async throws(MemoryError) -> [PageHitRate] {
    let (first, end) = (since.map(PageCache.hour) ?? Int64.min, until.map(PageCache.hour) ?? Int64.max)
    return try await database.read { db in
      try Row.fetchAll(db, sql: PageCache.rates, arguments: [first, end]).map { row in
        let hour: Int64 = try row.value(0)
        let (begin, overflow) = hour.multipliedReportingOverflow(by: PageCache.millisecondsPerHour)
        return PageHitRate(
          hour: overflow ? Timestamp.accepted.lowerBound : Timestamp(milliseconds: begin), hits: try row.value(1),
          misses: try row.value(2))
      }
    }
  }
}
