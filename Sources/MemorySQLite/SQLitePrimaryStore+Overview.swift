package import EpisodicMemory
import GRDB
import StoreRows

extension SQLitePrimaryStore {
  package func domains() async throws(MemoryError) -> [DomainSummary] {
    try await readRows { db in
      var domains: [(name: String, counts: [Episode.Status: Int], last: Int64)] = []
      let rows = try Row.fetchCursor(db.cachedStatement(sql: Self.countsByDomain))
      while let row = try rows.next() {
        let (name, status, count, last): (String, String, Int, Int64) = try (
          row.value(0), row.value(1), row.value(2), row.value(3)
        )
        if domains.last?.name.hasSameBytes(as: name) != true { domains.append((name, [:], last)) }
        domains[domains.count - 1].counts[Episode.Status(stored: status), default: 0] += count
        domains[domains.count - 1].last = max(domains[domains.count - 1].last, last)
      }
      let completion = try db.cachedStatement(sql: Self.lastCompletion)
      return try domains.map { domain in
        let completed = try Int64.fetchOne(completion, arguments: [domain.name]) ?? domain.last
        return DomainSummary(
          name: domain.name, episodes: domain.counts,
          lastActivity: Timestamp(milliseconds: max(completed, domain.last)))
      }
    }
  }

  static let countsByDomain = """
    SELECT domain, status, count(*), max(created_at) FROM episodes e WHERE \(DeletedEpisodes.excluded)
    GROUP BY domain, status ORDER BY domain, status
    """
  /// Argument: domain.
  static let lastCompletion = "SELECT max(completed_at) FROM episodes WHERE domain = ? AND completed_at IS NOT NULL"

  package func sessions(
    in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> SessionSummary.Page {
    try await readRows { db in
      var conditions = Conditions(.init(), scope)
      if let cursor {
        conditions.add("(e.created_at, e.seq) < (?, ?)", cursor.createdAt, cursor.row)
      }
      // One row more than the limit shows whether there is a next page.
      let rows = try Row.fetchAll(
        db, sql: "\(Self.newestOfSessions(conditions)) LIMIT ?", arguments: conditions.arguments + [limit + 1])
      let sessions = try rows.prefix(limit).map { row in
        try Self.session(row.value(0), of: row.value(1), db)
      }
      guard rows.count > limit, let last = rows.prefix(limit).last else {
        return SessionSummary.Page(elements: sessions, next: nil)
      }
      return SessionSummary.Page(
        elements: sessions, next: Episode.Page.Cursor(createdAt: try last.value(2), row: try last.value(3)))
    }
  }

  /// The newest episode of each session, newest first, without a limit.
  static func newestOfSessions(_ conditions: Conditions) -> String {
    """
    SELECT e.session, e.domain, e.created_at, e.seq FROM episodes e
    WHERE e.session IS NOT NULL\(conditions.andClause) AND NOT EXISTS (
        SELECT 1 FROM episodes n WHERE n.domain = e.domain AND n.session = e.session
        AND (n.created_at, n.seq) > (e.created_at, e.seq))
    ORDER BY e.created_at DESC, e.seq DESC
    """
  }

  /// Arguments: domain, session.
  static let countsOfSession = """
    SELECT sum(status = 'active'), sum(status = 'completed'), sum(status = 'failed'), count(*),
        min(created_at), max(max(created_at), coalesce(max(completed_at), min(created_at)))
    FROM episodes WHERE domain = ? AND session = ?
    """

  private static func session(_ name: String, of domain: String, _ db: Database) throws -> SessionSummary {
    let statement = try db.cachedStatement(sql: countsOfSession)
    guard let row = try Row.fetchOne(statement, arguments: [domain, name]) else {
      return SessionSummary(
        name: name, domain: domain, episodes: [:], firstActivity: Timestamp(milliseconds: 0),
        lastActivity: Timestamp(milliseconds: 0))
    }
    var counts: [Episode.Status: Int] = [
      .active: try row.value(0), .completed: try row.value(1), .failed: try row.value(2),
    ]
    // An unknown status is read as archived.
    counts[.archived] = try row.value(3) - counts.values.reduce(0, +)
    return SessionSummary(
      name: name, domain: domain, episodes: counts.filter { $0.value > 0 },
      firstActivity: Timestamp(milliseconds: try row.value(4)), lastActivity: Timestamp(milliseconds: try row.value(5)))
  }
}
