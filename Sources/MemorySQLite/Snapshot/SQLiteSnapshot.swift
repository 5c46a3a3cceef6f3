public import EpisodicMemory
import GRDB
import SQLiteStorage
import Vectors

/// One moment of a SQLite primary: a read transaction, for as long as `SQLitePrimaryStore.read` lends it.
struct SQLiteSnapshot: PrimarySnapshot {
  let db: Database
  /// Of the database file; for errors.
  let path: String
  let tokenizers: TokenizerPool
  let kept = Kept()

  /// What is made once a snapshot, when it is first asked for.
  final class Kept {
    var components: RawStatement?
    /// Of episodes whose vectors were compared, by row.
    var ids: [Int64: String] = [:]
    var tokenizer: TextTokenizer?
  }

  static func lend<Value>(
    _ db: Database, _ path: String, _ tokenizers: TokenizerPool,
    _ body: (any PrimarySnapshot) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value {
    let snapshot = SQLiteSnapshot(db: db, path: path, tokenizers: tokenizers)
    defer { if let tokenizer = snapshot.kept.tokenizer { tokenizers.putBack(tokenizer) } }
    return try body(snapshot)
  }

  /// Says of errors what they mean for the caller.
  func reading<Value>(_ body: () throws -> Value) throws(MemoryError) -> Value {
    do {
      return try body()
    } catch {
      throw MemoryError(storage: error, path: path)
    }
  }
}

extension SQLitePrimaryStore {
  public func read<Value: Sendable>(
    _ body: @escaping @Sendable (any PrimarySnapshot) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let (path, tokenizers) = (database.path, tokenizers)
    return try await readRows { db in try SQLiteSnapshot.lend(db, path, tokenizers, body) }
  }

  public func readBriefly<Value>(
    _ body: (any PrimarySnapshot) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value? {
    do {
      return try database.readBriefly { db in try SQLiteSnapshot.lend(db, database.path, tokenizers, body) }
    } catch {
      let error = explained(error)
      // The longer way waits.
      if error.code == .busy { return nil }
      throw error
    }
  }
}
