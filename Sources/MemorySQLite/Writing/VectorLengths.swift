import EpisodicMemory
import GRDB

/// Checks that all vectors of a model have one length (I6), over a batch.
struct VectorLengths {
  private let scope: Query.Scope
  private let db: Database
  private var dimensions: [String: Int] = [:]

  init(_ scope: Query.Scope, _ db: Database) {
    self.scope = scope
    self.db = db
  }

  /// - Throws: `.dimensionMismatch` if the model's vectors, in the table or in the batch, have another length.
  mutating func require(_ embedding: Embedding) throws {
    let expected = try dimensions[embedding.model] ?? stored(embedding.model) ?? embedding.vector.count
    dimensions[embedding.model] = expected
    guard expected == embedding.vector.count else {
      // The other vectors may be of another domain, whose model and its length are nobody else's business (I8).
      let others = scope.onlyDomain == nil ? "those of \(embedding.model) \(expected)" : "others of its model do not"
      throw MemoryError(
        .dimensionMismatch, "the vector has \(embedding.vector.count) numbers, \(others); name its own model")
    }
  }

  private func stored(_ model: String) throws -> Int? {
    let statement = try db.cachedStatement(sql: "SELECT dimensions FROM embeddings WHERE model_name = ? LIMIT 1")
    return try Int.fetchOne(statement, arguments: [model])
  }
}
