import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage
import Vectors
import StoreRows

/// Maps `Embedding` to a row of `embeddings`.
enum EmbeddingRow {
  /// In the order in which `decode` reads them.
  static let columns = "m.id, m.episode_id, m.step_id, m.content, m.embedding, m.model_name, m.created_at, m.sealed"

  static func decode(_ row: Row, _ db: Database) throws -> Embedding {
    let id = Embedding.ID(composed: try row.value(0))
    var (bytes, content): ([UInt8], String) = (try row.bytes(4) ?? [], try row.value(3))
    if let sealed = try row.bytes(7) {
      let place = EmbeddingBytes.place(id.rawValue, of: try row.value(1))
      let opened = try EmbeddingBytes.open(sealed, vector: bytes, at: place, in: nil, db)
      content = String(decoding: opened.dropFirst(bytes.count), as: UTF8.self)
      bytes = Array(opened.prefix(bytes.count))
    }
    guard let vector = [Float](littleEndianFloat32: bytes.span.bytes) else {
      throw MemoryError(.corrupted, "embedding \"\(id)\" is not a sequence of float32; restore a backup")
    }
    let step: String? = try row.value(2)
    return Embedding(
      id: id, episodeID: Episode.ID(composed: try row.value(1)), stepID: step.map(Step.ID.init(composed:)),
      content: content, vector: vector, model: try row.value(5),
      createdAt: Timestamp(milliseconds: try row.value(6)))
  }

  private static let insertion = RowInsert(
    into: "embeddings", "id, episode_id, step_id, content, embedding, model_name, dimensions, created_at, sealed")

  static func insert(_ embeddings: [Embedding], _ db: Database) throws {
    try insertion(embeddings, db) { embedding, row in
      let stored = try EmbeddingBytes(embedding, EpisodeRow.cipher(of: embedding.episodeID, db))
      try row.bind(embedding.id.rawValue)
      try row.bind(embedding.episodeID.rawValue)
      try row.bind(embedding.stepID?.rawValue)
      try row.bind(stored.content)
      try stored.vector.withUnsafeBytes { bytes in try row.bind(bytes) }
      try row.bind(embedding.model)
      try row.bind(Int64(embedding.vector.count))
      try row.bind(embedding.createdAt.milliseconds)
      try row.bind(blob: stored.sealed)
    }
  }
}
