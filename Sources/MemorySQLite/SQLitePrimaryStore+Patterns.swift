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
      var clauses: [String] = []
      var arguments = StatementArguments()
      if let type = filter.type {
        clauses.append("p.pattern_type = ?")
        arguments += [type.rawValue]
      }
      if let rate = filter.minimumSuccessRate {
        clauses.append("p.success_rate >= ?")
        arguments += [rate]
      }
      if let domain = scope.onlyDomain {
        clauses.append(
          """
          (p.domain = ? OR p.domain = '' AND EXISTS (
              SELECT 1 FROM episode_patterns l JOIN episodes e ON e.id = l.episode_id
              WHERE l.pattern_id = p.id AND e.domain = ?))
          """)
        arguments += [domain, domain]
      }
      let condition = clauses.isEmpty ? "" : "WHERE " + clauses.joined(separator: " AND ")
      let sql = """
        SELECT \(PatternRow.columns) FROM patterns p \(condition)
        ORDER BY p.success_rate DESC, p.usage_count DESC, p.id LIMIT ?
        """
      return try Row.fetchAll(db, sql: sql, arguments: arguments + [filter.limit]).map(PatternRow.decode)
    }
  }

  package func patterns(of episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [Pattern] {
    try await readRows { db in
      guard try EpisodeRow.exists(episode, in: scope, db) else { return [] }
      let sql = """
        SELECT \(PatternRow.columns) FROM episode_patterns l JOIN patterns p ON p.id = l.pattern_id
        WHERE l.episode_id = ? ORDER BY p.id
        """
      return try Row.fetchAll(db, sql: sql, arguments: [episode.rawValue]).map(PatternRow.decode)
    }
  }
}
