import EpisodicMemory
import GRDB
import SQLiteStorage
import Vectors
import StoreRows

/// A read transaction of the primary, valid until the closure of `SQLitePrimaryStore.read` returns.
struct SQLiteSnapshot: PrimarySnapshot {
  let db: Database
  /// Of the database file; for errors.
  let path: String
  let tokenizers: TokenizerPool
  let totals: CorpusTotalsCache
  let lazy = Lazy()

  /// Created on first use, once per snapshot.
  final class Lazy {
    var components: RawStatement?
    /// Ids of the episodes whose vectors were compared, by row.
    var ids: [Int64: String] = [:]
    var tokenizer: TextTokenizer?
    /// Of the last scope and filter.
    var admission: (scope: Query.Scope, filter: Episode.Filter, admission: StepAdmission)?
    /// Whether an episode has a step that passes that filter, by row.
    var admitted: [Int64: Bool] = [:]
  }

  static func lend<Value>(
    _ db: Database, _ path: String, _ tokenizers: TokenizerPool, _ totals: CorpusTotalsCache,
    _ body: (any PrimarySnapshot) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value {
    let snapshot = SQLiteSnapshot(db: db, path: path, tokenizers: tokenizers, totals: totals)
    defer { if let tokenizer = snapshot.lazy.tokenizer { tokenizers.putBack(tokenizer) } }
    return try body(snapshot)
  }

  /// Maps errors of the storage to `MemoryError`.
  func reading<Value>(_ body: () throws -> Value) throws(MemoryError) -> Value {
    try reading(orThrow: MemoryError.self, body)
  }

  /// Maps errors of the storage to those that a reader's closure throws, which pass as they are.
  func reading<Value, Failure: PrimaryFailure>(
    orThrow type: Failure.Type, _ body: () throws -> Value
  ) throws(Failure) -> Value {
    do {
      return try body()
    } catch let error as Failure {
      throw error
    } catch {
      throw Failure(MemoryError(storage: error, path: path))
    }
  }

  func isEncrypted(_ scope: Query.Scope) throws(MemoryError) -> Bool {
    try reading { try KeySession.isEncrypted(scope.onlyDomain, db) }
  }

  var hasOpenedSealedRows: Bool { KeySession.hasOpened }

  func watermark() throws(MemoryError) -> Watermark {
    try reading { try ChangeFeed.watermark(db) }
  }

  func changes(after watermark: Watermark?, limit: Int) throws(MemoryError) -> ChangeBatch {
    try reading { try ChangeFeed.changes(after: watermark, limit: limit, db) }
  }
}
