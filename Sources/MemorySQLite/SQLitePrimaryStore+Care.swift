public import EpisodicMemory
import GRDB
import SQLiteStorage

extension SQLitePrimaryStore {
  public func statistics() async throws(MemoryError) -> PrimaryStatistics {
    let bytes = database.bytesOnDisk
    return try await readRows { db in
      func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT \(sql)") ?? 0 }
      var episodes: [Episode.Status: Int] = [:]
      for row in try Row.fetchAll(db, sql: "SELECT status, count(*) FROM episodes GROUP BY status") {
        episodes[Episode.Status(stored: try row.value(0)), default: 0] += try row.value(1)
      }
      let spaces = try Row.fetchAll(
        db, sql: "SELECT model_name, dimensions, count(*) FROM embeddings GROUP BY model_name, dimensions")
      return PrimaryStatistics(
        episodes: episodes, steps: try count("count(*) FROM steps"), patterns: try count("count(*) FROM patterns"),
        domains: try count("count(DISTINCT domain) FROM episodes"),
        spaces: try spaces.map { row in
          .init(model: try row.value(0), dimensions: try row.value(1), vectors: try row.value(2))
        }, bytes: bytes, watermark: try SQLiteSnapshot.watermark(db),
        // 0 where another program dropped the table, which `check` tells.
        schemaVersion: try db.tableExists("schema_version")
          ? count("max(version) FROM schema_version WHERE typeof(version) = 'integer'") : 0)
    }
  }

  /// Sets rows without an owner aside, too, and makes indexes again that another program dropped.
  public func rebuildTextIndexes(acceptingTexts: Bool) async throws(MemoryError) {
    if !acceptingTexts {
      for text in TextIndexComparison.all {
        guard case .damaged(let reason) = try await check(text).outcome else { continue }
        throw MemoryError(.corrupted, "\(database.path): \(reason)")
      }
    }
    do {
      try await database.write(despiteDamage: acceptingTexts) { [database] db in
        try database.restoreIndexes(db)
        try db.execute(
          sql: """
            DELETE FROM orphans;
            INSERT INTO episodes_text (episodes_text) VALUES ('rebuild');
            INSERT INTO steps_text (steps_text) VALUES ('rebuild');
            """)
        try ChangeFeed.goOn(db)
      }
    } catch {
      throw MemoryError(storage: error, path: database.path)
    }
  }

  public func optimizeTextIndexes() async throws(MemoryError) {
    try await write { db in
      try db.execute(
        sql: """
          INSERT INTO episodes_text (episodes_text) VALUES ('optimize');
          INSERT INTO steps_text (steps_text) VALUES ('optimize');
          """)
    }
  }
}
