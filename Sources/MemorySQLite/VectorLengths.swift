import EpisodicMemory
import GRDB

/// Sees to it that a model's vectors have one length (I6), for a batch of them.
struct VectorLengths {
  private let db: Database
  private var dimensions: [String: Int] = [:]

  init(_ db: Database) { self.db = db }

  /// - Throws: `.dimensionMismatch` where the model's vectors, of the tables or of the batch, have another length.
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
