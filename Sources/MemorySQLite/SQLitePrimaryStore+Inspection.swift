package import EpisodicMemory
import GRDB
import SQLiteStorage

extension SQLitePrimaryStore {
  /// Of the database file, or what stands for it in messages.
  package var path: String { database.path }

  package func inspect() async throws(MemoryError) -> PrimaryInspection {
    try await readRows { db in try PrimaryInspection(db) }
  }
}
