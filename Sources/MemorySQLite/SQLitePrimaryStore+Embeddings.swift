package import EpisodicMemory
import GRDB

extension SQLitePrimaryStore {
  package func embeddings(of episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [Embedding] {
    try await readRows { db in
      guard try EpisodeRow.exists(episode, in: scope, db) else { return [] }
      let sql = "SELECT \(EmbeddingRow.columns) FROM embeddings m WHERE m.episode_id = ? ORDER BY m.seq"
      return try Row.fetchAll(db, sql: sql, arguments: [episode.rawValue]).map { row in try EmbeddingRow.decode(row, db)
      }
    }
  }

  package func embeddings(
    in space: EmbeddingSpace, scope: Query.Scope, after id: Embedding.ID?, limit: Int
  ) async throws(MemoryError) -> [Embedding] {
    try await readRows { db in
      let conditions = Conditions(.init(), scope)
      let sql = """
        SELECT \(EmbeddingRow.columns) FROM embeddings m JOIN episodes e ON e.id = m.episode_id
        WHERE m.model_name = ? AND m.dimensions = ?
            AND m.seq > coalesce((SELECT c.seq FROM embeddings c JOIN episodes o ON o.id = c.episode_id
                                  WHERE c.id = ? AND (? IS NULL OR o.domain = ?)), 0)\(conditions.andClause)
        ORDER BY m.seq LIMIT ?
        """
      let domain = scope.onlyDomain
      let arguments =
        [space.model, space.dimensions, id?.rawValue, domain, domain] + conditions.arguments + [limit]
      return try Row.fetchAll(db, sql: sql, arguments: arguments).map { row in try EmbeddingRow.decode(row, db) }
    }
  }
}
