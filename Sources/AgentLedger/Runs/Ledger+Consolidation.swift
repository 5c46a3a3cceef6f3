package import FileLocks
import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// What the library that knows a memory needs, to make episodes of runs.
extension Ledger {
  /// Runs that have ended and are no episode yet, those that ended first before.
  package func unconsolidatedRuns(limit: Int) async throws(MemoryError) -> [Run] {
    try await database.read { db in
      try Row.fetchAll(db.cachedStatement(sql: Self.unconsolidated), arguments: [limit]).map(RunRow.run)
    }
  }

  static let unconsolidated = """
    SELECT \(RunRow.columns) FROM runs WHERE completed_at IS NOT NULL AND episode_id IS NULL ORDER BY completed_at, seq LIMIT ?
    """

  /// Says that a run has become the episode with its id (I7).
  package func noteConsolidated(_ id: Run.ID) async throws(MemoryError) {
    try await database.write(grows: false) { db, _ in
      try db.execute(sql: "UPDATE runs SET episode_id = id WHERE id = ?", arguments: [id.rawValue])
    }
  }

  /// The state of the ledger between two commits.
  package func commitStamp() throws(MemoryError) -> CommitStamp {
    do {
      return try database.stored.commitStamp()
    } catch {
      throw database.explained(error)
    }
  }

  /// Returns when the stamp is another.
  package func waitForCommit(after stamp: CommitStamp) async throws(MemoryError) {
    do {
      try await database.stored.waitForCommit(after: stamp)
    } catch {
      throw database.explained(error)
    }
  }
}
