package import EpisodicMemory
import GRDB
import StoreRows

extension SQLitePrimaryStore {
  package func episode(
    _ id: Episode.ID, steps: StepSelection
  ) async throws(MemoryError) -> Versioned<Episode?> {
    try await readVersioned { db in try EpisodeRow.fetch(db, id: id, steps: steps) }
  }

  package func episodes(
    _ ids: [Episode.ID], steps: StepSelection
  ) async throws(MemoryError) -> Versioned<[Episode]> {
    try await readVersioned { db in try ids.compactMap { id in try EpisodeRow.fetch(db, id: id, steps: steps) } }
  }

  package func trustDecisions(
    on id: Episode.ID, in scope: Query.Scope
  ) async throws(MemoryError) -> [TrustDecision] {
    try await readRows { db in
      guard try EpisodeRow.exists(id, in: scope, db) else { throw MemoryError.noEpisode(id) }
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT step_id, trust, before, actor, reason, decided_at FROM trust_decisions
          WHERE episode_id = ?1 OR step_id IN (SELECT id FROM steps WHERE episode_id = ?1) ORDER BY number
          """, arguments: [id.rawValue])
      return try rows.map { row in
        let step: String? = try row.value(0)
        return TrustDecision(
          subject: step.map { .step(Step.ID(composed: $0)) } ?? .episode(id), trust: Trust(stored: try row.value(1)),
          before: Trust(stored: try row.value(2)), actor: try row.value(3), reason: try row.value(4),
          decidedAt: Timestamp(milliseconds: try row.value(5)))
      }
    }
  }

  package func steps(
    of id: Episode.ID, in scope: Query.Scope, after number: Int?, limit: Int
  ) async throws(MemoryError) -> Step.Page {
    try await readRows { db in
      var conditions = Conditions(.init(), scope)
      conditions.add("e.id = ?", id.rawValue)
      let statement = try db.cachedStatement(sql: "SELECT e.seq FROM episodes e \(conditions.whereClause)")
      guard let row = try Int64.fetchOne(statement, arguments: conditions.arguments) else {
        throw MemoryError.noEpisode(id)
      }
      // One more than the limit shows whether there is a next page. Numbers count from 1.
      let steps = try StepRow.Owner(id, row: row, in: scope.onlyDomain).following(number ?? 0, limit: limit + 1, db)
      let page = Array(steps.prefix(limit))
      return Step.Page(elements: page, next: steps.count > limit ? page.last?.number : nil)
    }
  }

  package func episodes(
    _ filter: Episode.Filter, in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int,
    steps: StepSelection
  ) async throws(MemoryError) -> Episode.Page {
    try await readRows { db in
      var conditions = Conditions(filter, scope)
      if let cursor {
        conditions.add("(e.created_at, e.seq) < (?, ?)", cursor.createdAt, cursor.row)
      }
      var (listing, arguments) = (Self.listing(conditions), conditions.arguments)
      if let filter = filter.step {
        let steps = try StepConditions(filter, KeyedTerms(scope, db))
        if let rows = try steps.rows(conditions, db) {
          (listing, arguments) = (Self.listingOfRows, [rows.jsonText])
        } else {
          conditions.add(steps)
          (listing, arguments) = (Self.listing(conditions), conditions.arguments)
        }
      }
      // One row more than the limit shows whether there is a next page.
      let rows = try Row.fetchCursor(
        db, sql: "\(listing) LIMIT ?", arguments: arguments + [limit + 1])
      var episodes: [Episode] = []
      var last: Episode.Page.Cursor?
      while let row = try rows.next() {
        guard episodes.count < limit else { return Episode.Page(elements: episodes, next: last) }
        let episode = try EpisodeRow.decode(row, db, steps: steps)
        last = Episode.Page.Cursor(createdAt: episode.createdAt.milliseconds, row: try row.value(0))
        episodes.append(episode)
      }
      return Episode.Page(elements: episodes, next: nil)
    }
  }

  /// Bytes of text after which a page of `episodesAsRecorded` ends: episodes differ too much in size to bound it by their
  /// number.
  private static let bytesPerPage = 4 << 20

  package func episodesAsRecorded(after cursor: Episode.Page.Cursor?, limit: Int) async throws(MemoryError)
    -> Episode.Page
  {
    try await readRows { db in
      let statement = try db.cachedStatement(
        sql:
          "SELECT \(EpisodeRow.columns) FROM episodes e WHERE e.seq > ? AND \(DeletedEpisodes.excluded) ORDER BY e.seq")
      let rows = try Row.fetchCursor(statement, arguments: [cursor?.row ?? 0])
      var episodes: [Episode] = []
      var bytes = 0
      var last: Episode.Page.Cursor?
      while let row = try rows.next() {
        guard episodes.count < limit, bytes < Self.bytesPerPage else {
          return Episode.Page(elements: episodes, next: last)
        }
        let episode = try EpisodeRow.decode(row, db)
        last = Episode.Page.Cursor(createdAt: episode.createdAt.milliseconds, row: try row.value(0))
        bytes += episode.textBytes
        episodes.append(episode)
      }
      return Episode.Page(elements: episodes, next: nil)
    }
  }

  /// The query behind `episodes` for rows that are known to pass, as a JSON array.
  static let listingOfRows = """
    SELECT \(EpisodeRow.columns) FROM json_each(?) j CROSS JOIN episodes e ON e.seq = j.value
    ORDER BY e.created_at DESC, e.seq DESC
    """

  /// The query behind `episodes`, without its limit.
  static func listing(_ conditions: Conditions) -> String {
    "SELECT \(EpisodeRow.columns) FROM episodes e \(conditions.whereClause) ORDER BY e.created_at DESC, e.seq DESC"
  }
}

extension Episode {
  fileprivate var textBytes: Int {
    steps.reduce(context.utf8.count) { $0 + $1.action.utf8.count + ($1.result?.utf8.count ?? 0) }
  }
}
