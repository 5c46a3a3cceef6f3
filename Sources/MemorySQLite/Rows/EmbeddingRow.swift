import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage
import Vectors
import StoreRows

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
