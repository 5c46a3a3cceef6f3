public import EpisodicMemory
import GRDB

extension SQLitePrimaryStore {
  public func insert(_ embedding: Embedding, replacing: Bool) async throws(MemoryError) {
    try await write { db in
      guard try EpisodeRow.exists(embedding.episodeID, db) else { throw MemoryError.noEpisode(embedding.episodeID) }
      if let step = embedding.stepID {
        let episode = try String.fetchOne(
          db, sql: "SELECT episode_id FROM steps WHERE id = ?", arguments: [step.rawValue])
        guard episode == embedding.episodeID.rawValue else {
          throw MemoryError(.notFound, "episode \"\(embedding.episodeID)\" has no step \"\(step)\"")
        }
      }
      if replacing {
        try db.execute(
          sql: "DELETE FROM embeddings WHERE episode_id = ? AND step_id IS ? AND model_name = ?",
          arguments: [embedding.episodeID.rawValue, embedding.stepID?.rawValue, embedding.model])
      }
      try Self.requireSameLength(embedding, db)
      try EmbeddingRow.insert(embedding, db)
    }
  }

  public func delete(_ id: Embedding.ID) async throws(MemoryError) -> Bool {
    try await write { db in try Self.delete("embeddings", id: id.rawValue, db) }
  }

  public func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding] {
    try await read { db in
      let sql = "SELECT \(EmbeddingRow.columns) FROM embeddings m WHERE m.episode_id = ? ORDER BY m.seq"
      return try Row.fetchAll(db, sql: sql, arguments: [episode.rawValue]).map(EmbeddingRow.decode)
    }
  }

  public func embeddings(
    in space: EmbeddingSpace, scope: Scope, after id: Embedding.ID?, limit: Int
  ) async throws(MemoryError) -> [Embedding] {
    try await read { db in
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

  /// The spaces there are, by model and length; the metric is the query's to choose.
  ///
  /// Skips through the index from space to space, so it costs the number of spaces, not of vectors.
  static func spaces(_ db: Database) throws -> [EmbeddingSpace] {
    var spaces: [EmbeddingSpace] = []
    let statement = try db.cachedStatement(
      sql: """
        SELECT model_name, dimensions FROM embeddings WHERE (model_name, dimensions) > (?, ?)
        ORDER BY model_name, dimensions LIMIT 1
        """)
    while let row = try Row.fetchOne(
      statement, arguments: [spaces.last?.model ?? "", spaces.last?.dimensions ?? 0])
    {
      spaces.append(EmbeddingSpace(model: try row.value(0), dimensions: try row.value(1)))
    }
    return spaces
  }

  /// The spaces of the vectors that pass scope and filter.
  static func spaces(_ conditions: Conditions, _ db: Database) throws -> [EmbeddingSpace] {
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT DISTINCT m.model_name, m.dimensions
          FROM embeddings m INDEXED BY embeddings_by_space CROSS JOIN episodes e ON e.id = m.episode_id
          \(conditions.whereClause)
          """), arguments: conditions.arguments)
    var spaces: [EmbeddingSpace] = []
    while let row = try rows.next() {
      spaces.append(EmbeddingSpace(model: try row.value(0), dimensions: try row.value(1)))
    }
    return spaces
  }

  /// A model's vectors have one length (I6).
  static func requireSameLength(_ embedding: Embedding, _ db: Database) throws {
    let statement = try db.cachedStatement(sql: "SELECT dimensions FROM embeddings WHERE model_name = ? LIMIT 1")
    guard let dimensions = try Int.fetchOne(statement, arguments: [embedding.model]),
      dimensions != embedding.vector.count
    else { return }
    throw MemoryError(
      .dimensionMismatch,
      "the vector has \(embedding.vector.count) numbers, those of \(embedding.model) \(dimensions); name its own model")
  }
}
