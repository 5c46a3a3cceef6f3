public import EpisodicMemory
import GRDB

extension SQLitePrimaryStore {
  public func changes(after watermark: Watermark?, limit: Int) async throws(MemoryError) -> ChangeBatch {
    try await read { snapshot throws(MemoryError) in try snapshot.changes(after: watermark, limit: limit) }
  }

  /// Forgets changes that nobody should still have to catch up with; the newest always stays.
  static func pruneFeed(_ db: Database) throws {
    try db.execute(
      sql: "DELETE FROM changes WHERE revision <= (SELECT max(revision) FROM changes) - ?", arguments: [feedLength])
  }
}
