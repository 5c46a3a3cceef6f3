public import EpisodicMemory
import GRDB
import SQLiteStorage

extension SQLitePrimaryStore {
  /// Of a batch that replaces, every vector stays: what goes is what was there before.
  public func insert(_ embeddings: [Embedding], replacing: Bool) async throws(MemoryError) {
    try await write { db in
      try Self.requireOwners(of: embeddings, db)
      if replacing { try Self.deletePredecessors(of: embeddings, db) }
      var lengths = VectorLengths(db)
      for embedding in embeddings { try lengths.require(embedding) }
      try EmbeddingRow.insert(embeddings, db)
    }
  }

  public func delete(_ id: Embedding.ID) async throws(MemoryError) -> Bool {
    try await write { db in try Self.delete("embeddings", id: id.rawValue, db) }
  }

  public func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding] {
    try await readRows { db in
      let sql = "SELECT \(EmbeddingRow.columns) FROM embeddings m WHERE m.episode_id = ? ORDER BY m.seq"
      return try Row.fetchAll(db, sql: sql, arguments: [episode.rawValue]).map(EmbeddingRow.decode)
    }
  }

  public func embeddings(
    in space: EmbeddingSpace, scope: Scope, after id: Embedding.ID?, limit: Int
  ) async throws(MemoryError) -> [Embedding] {
    try await readRows { db in
      let conditions = Conditions(.init(), scope)
      let sql = """
        SELECT \(EmbeddingRow.columns) FROM embeddings m JOIN episodes e ON e.id = m.episode_id
        WHERE m.model_name = ? AND m.dimensions = ?
            AND m.seq > coalesce((SELECT seq FROM embeddings WHERE id = ?), 0)\(conditions.andClause)
        ORDER BY m.seq LIMIT ?
        """
      let arguments = [space.model, space.dimensions, id?.rawValue] + conditions.arguments + [limit]
      return try Row.fetchAll(db, sql: sql, arguments: arguments).map(EmbeddingRow.decode)
    }
  }

  /// Deletes what has the same episode, step and model.
  private static func deletePredecessors(of embeddings: [Embedding], _ db: Database) throws {
    var deletion = try RawStatement(
      "DELETE FROM embeddings WHERE episode_id = ? AND step_id IS ? AND model_name = ?", db)
    for embedding in embeddings {
      try deletion.bind(embedding.episodeID.rawValue)
      try deletion.bind(embedding.stepID?.rawValue)
      try deletion.bind(embedding.model)
      try deletion.execute()
    }
  }

  /// - Throws: `.notFound` where an episode, or the step in it, does not exist.
  private static func requireOwners(of embeddings: [Embedding], _ db: Database) throws {
    var lookup = try EpisodeRow.Lookup(db)
    var episodes: Set<Episode.ID> = []
    var owners: [Step.ID: String?] = [:]
    for embedding in embeddings {
      if episodes.insert(embedding.episodeID).inserted, try lookup.row(of: embedding.episodeID) == nil {
        throw MemoryError.noEpisode(embedding.episodeID)
      }
      guard let step = embedding.stepID else { continue }
      let owner = try owners[step] ?? StepRow.episode(of: step, db)
      owners[step] = owner
      guard owner == embedding.episodeID.rawValue else {
        throw MemoryError(.notFound, "episode \"\(embedding.episodeID)\" has no step \"\(step)\"")
      }
    }
  }
}
