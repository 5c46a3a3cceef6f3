package import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage
import Vectors

extension SQLitePrimaryStore {
  /// A batch that replaces deletes only rows that existed before it; all of its own vectors are inserted.
  package func insert(_ embeddings: [Embedding], replacing: Bool) async throws(MemoryError) {
    try await write { db in
      try Self.requireOwners(of: embeddings, db)
      if replacing { try Self.deletePredecessors(of: embeddings, db) }
      var lengths = VectorLengths(db)
      for embedding in embeddings { try lengths.require(embedding) }
      try EmbeddingRow.insert(embeddings, db)
    }
  }

  package func delete(_ id: Embedding.ID) async throws(MemoryError) -> Bool {
    try await write { db in try Self.delete("embeddings", id: id.rawValue, db) }
  }

  package func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding] {
    try await readRows { db in
      let sql = "SELECT \(EmbeddingRow.columns) FROM embeddings m WHERE m.episode_id = ? ORDER BY m.seq"
      return try Row.fetchAll(db, sql: sql, arguments: [episode.rawValue]).map(EmbeddingRow.decode)
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
            AND m.seq > coalesce((SELECT seq FROM embeddings WHERE id = ?), 0)\(conditions.andClause)
        ORDER BY m.seq LIMIT ?
        """
      let arguments = [space.model, space.dimensions, id?.rawValue] + conditions.arguments + [limit]
      return try Row.fetchAll(db, sql: sql, arguments: arguments).map(EmbeddingRow.decode)
    }
  }

  /// Deletes the embeddings with the same episode, step and model.
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

  /// - Throws: `.notFound` if an episode, or the step in it, does not exist.
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

/// Maps `Embedding` to a row of `embeddings`.
enum EmbeddingRow {
  /// In the order in which `decode` reads them.
  static let columns = "m.id, m.episode_id, m.step_id, m.content, m.embedding, m.model_name, m.created_at"

  static func decode(_ row: Row) throws -> Embedding {
    let id = Embedding.ID(composed: try row.value(0))
    let vector = try row.withUnsafeData(atIndex: 4) { bytes in
      bytes.flatMap { [Float](littleEndianFloat32: $0.bytes) }
    }
    guard let vector else {
      throw MemoryError(.corrupted, "embedding \"\(id)\" is not a sequence of float32; restore a backup")
    }
    let step: String? = try row.value(2)
    return Embedding(
      id: id, episodeID: Episode.ID(composed: try row.value(1)), stepID: step.map(Step.ID.init(composed:)),
      content: try row.value(3), vector: vector, model: try row.value(5),
      createdAt: Timestamp(milliseconds: try row.value(6)))
  }

  private static let insertion = RowInsert(
    into: "embeddings", "id, episode_id, step_id, content, embedding, model_name, dimensions, created_at")

  static func insert(_ embeddings: [Embedding], _ db: Database) throws {
    try insertion(embeddings, db) { embedding, row in
      try row.bind(embedding.id.rawValue)
      try row.bind(embedding.episodeID.rawValue)
      try row.bind(embedding.stepID?.rawValue)
      try row.bind(embedding.content)
      try [UInt8](littleEndianFloat32: embedding.vector).withUnsafeBytes { bytes in try row.bind(bytes) }
      try row.bind(embedding.model)
      try row.bind(Int64(embedding.vector.count))
      try row.bind(embedding.createdAt.milliseconds)
    }
  }
}

/// Checks that all vectors of a model have one length (I6), over a batch.
struct VectorLengths {
  private let db: Database
  private var dimensions: [String: Int] = [:]

  init(_ db: Database) { self.db = db }

  /// - Throws: `.dimensionMismatch` if the model's vectors, in the table or in the batch, have another length.
  mutating func require(_ embedding: Embedding) throws {
    let expected = try dimensions[embedding.model] ?? stored(embedding.model) ?? embedding.vector.count
    dimensions[embedding.model] = expected
    guard expected == embedding.vector.count else {
      throw MemoryError(
        .dimensionMismatch,
        "the vector has \(embedding.vector.count) numbers, those of \(embedding.model) \(expected); name its own model")
    }
  }

  private func stored(_ model: String) throws -> Int? {
    let statement = try db.cachedStatement(sql: "SELECT dimensions FROM embeddings WHERE model_name = ? LIMIT 1")
    return try Int.fetchOne(statement, arguments: [model])
  }
}
