import GRDB

/// What an application with GRDB would write: `pool.read`, two cached statements, columns by index.
final class PlainGRDB {
  private let pool: DatabasePool

  init(path: String) throws {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.persistentReadOnlyConnections = true
    configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA cache_size = -16384") }
    pool = try DatabasePool(path: path, configuration: configuration)
  }

  func close() throws { try pool.close() }

  func read(_ id: String) throws -> PlainEpisode? {
    try pool.read { db in
      let rows = try GRDB.Row.fetchCursor(db.cachedStatement(sql: PlainSQL.episode), arguments: [id])
      guard let row = try rows.next() else { return nil }
      var episode = PlainEpisode(
        id: row[0], taskType: row[1], domain: row[2], session: row[3], context: row[4], status: row[5],
        successRate: row[6], createdAt: row[7], completedAt: row[8], metadata: row[9], embeddingVersion: row[10],
        steps: [])
      let steps = try GRDB.Row.fetchCursor(db.cachedStatement(sql: PlainSQL.steps), arguments: [id])
      while let row = try steps.next() {
        episode.steps.append(
          PlainEpisode.Step(
            id: row[0], number: row[1], action: row[2], result: row[3], tool: row[4], duration: row[5],
            success: row[6], timestamp: row[7]))
      }
      return episode
    }
  }
}
