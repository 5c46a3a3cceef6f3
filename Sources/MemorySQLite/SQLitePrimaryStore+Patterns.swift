package import EpisodicMemory
import GRDB

extension SQLitePrimaryStore {
  package func pattern(
    _ type: PatternType, hash: String, domain: String?
  ) async throws(MemoryError) -> Versioned<Pattern?> {
    try await readVersioned { db in try PatternRow.fetch(db, type: type, hash: hash, domain: domain) }
  }

  package func patterns(_ filter: Pattern.Filter, in scope: Query.Scope) async throws(MemoryError) -> [Pattern] {
    try await readRows { db in
      let search = try PatternSearch(filter, scope, KeyedTerms(scope, db))
      let rows = try Row.fetchCursor(db, sql: search.sql, arguments: search.arguments)
      var patterns: [Pattern] = []
      while patterns.count < filter.limit, let row = try rows.next() {
        let pattern = try PatternRow.decode(row, db)
        if let part = filter.data, !pattern.data.contains(part) { continue }
        patterns.append(pattern)
      }
      return patterns
    }
  }

  package func patterns(of episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [Pattern] {
    try await readRows { db in
      guard try EpisodeRow.exists(episode, in: scope, db) else { return [] }
      let sql = """
        SELECT \(PatternRow.columns) FROM episode_patterns l JOIN patterns p ON p.id = l.pattern_id
        WHERE l.episode_id = ? ORDER BY p.id
        """
      return try Row.fetchAll(db, sql: sql, arguments: [episode.rawValue]).map { row in try PatternRow.decode(row, db) }
    }
  }
}
