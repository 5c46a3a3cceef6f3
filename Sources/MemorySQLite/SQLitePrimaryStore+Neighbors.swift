package import EpisodicMemory
import GRDB
import StoreRows

extension SQLitePrimaryStore {
  package func neighbors(
    of ids: [Episode.ID], _ statuses: Set<Episode.Status>, _ trust: ClosedRange<Trust>, in scope: Query.Scope,
    count: Int,
    steps: StepSelection
  ) async throws(MemoryError) -> [Hit.Neighbors] {
    try await readRows { db in
      let place = try db.cachedStatement(
        sql: """
          SELECT domain, session, created_at, seq, least_trust FROM episodes e
          WHERE id = ?1 AND (?2 IS NULL OR domain = ?2) AND \(DeletedEpisodes.excluded)
          """)
      return try ids.map { id in
        guard let row = try Row.fetchOne(place, arguments: [id.rawValue, scope.onlyDomain]),
          let session: String = try row.value(1)
        else { return Hit.Neighbors() }
        let (domain, createdAt, seq): (String, Int64, Int64) = try (row.value(0), row.value(2), row.value(3))
        let least = max(trust.lowerBound, min(Trust(stored: try row.value(4)), .trusted))
        guard least <= trust.upperBound else { return Hit.Neighbors() }
        func beside(_ direction: Direction) throws -> [Episode] {
          var conditions = Conditions(
            Episode.Filter(session: session, statuses: statuses, trust: least...trust.upperBound), .domain(domain))
          conditions.add("(e.created_at, e.seq) \(direction.comparison) (?, ?)", createdAt, seq)
          let rows = try Row.fetchAll(
            db, sql: "\(Self.session(conditions, direction)) LIMIT ?", arguments: conditions.arguments + [count])
          return try rows.map { row in try EpisodeRow.decode(row, db, steps: steps) }
        }
        return Hit.Neighbors(before: try beside(.before).reversed(), after: try beside(.after))
      }
    }
  }

  enum Direction {
    case before, after

    fileprivate var comparison: String { self == .before ? "<" : ">" }
    fileprivate var order: String { self == .before ? "DESC" : "ASC" }
  }

  /// Episodes of a session, the nearest first, without a limit.
  static func session(_ conditions: Conditions, _ direction: Direction) -> String {
    """
    SELECT \(EpisodeRow.columns) FROM episodes e INDEXED BY episodes_by_domain_and_session \(conditions.whereClause)
    ORDER BY e.created_at \(direction.order), e.seq \(direction.order)
    """
  }
}
