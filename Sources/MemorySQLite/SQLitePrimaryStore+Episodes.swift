package import EpisodicMemory
import GRDB

extension SQLitePrimaryStore {
  package func insert(_ episode: Episode) async throws(MemoryError) {
    _ = try await insert([episode], embeddings: [], existing: .fail)
  }

  package func insert(
    _ episodes: [Episode], embeddings: [Embedding], existing: Episode.ExistingPolicy
  ) async throws(MemoryError) -> InsertionReport {
    let embeddings = Dictionary(grouping: embeddings, by: \.episodeID)
    return try await write { db in
      var insertion = try EpisodeInsertion(existing: existing, embeddings: embeddings, db)
      for episode in episodes { try insertion.add(episode) }
      return try insertion.finish()
    }
  }

  package func apply(
    _ transition: Episode.Transition, to id: Episode.ID, at now: Timestamp
  ) async throws(MemoryError) -> Versioned<Episode> {
    try await write { db in
      let status = try Self.status(of: id, db)
      guard transition.isAllowed(from: status) else {
        throw MemoryError(
          .conflict,
          "episode \"\(id)\" is \(status.rawValue) and cannot become \(transition.target.rawValue) from there")
      }
      switch transition {
      case .complete(let rate), .fail(let rate):
        // Without a given rate it is the average over the steps. A clock set back must not end the episode before it
        // began.
        try db.cachedStatement(
          sql: """
            UPDATE episodes SET status = ?1, completed_at = max(?2, created_at), success_rate = coalesce(?3,
                (SELECT avg(success) FROM steps WHERE episode_id = ?5 AND success IS NOT NULL), ?4) WHERE id = ?5
            """
        ).execute(arguments: [
          transition.target.rawValue, now.milliseconds, rate, transition.target == .completed ? 1.0 : 0.0, id.rawValue,
        ])
      case .archive:
        try db.execute(sql: "UPDATE episodes SET status = 'archived' WHERE id = ?", arguments: [id.rawValue])
      case .reopen:
        try db.execute(
          sql: "UPDATE episodes SET status = 'active', completed_at = NULL, success_rate = NULL WHERE id = ?",
          arguments: [id.rawValue])
      }
      return Versioned(try Self.require(id, db), asOf: try ChangeFeed.watermark(db))
    }
  }

  package func update(_ id: Episode.ID, with change: Episode.Change) async throws(MemoryError) -> Episode {
    try await write { db in
      // Unchanged columns stay as they are stored: another program may have written what an `Episode` cannot hold.
      try db.cachedStatement(
        sql: """
          UPDATE episodes SET task_type = coalesce(?1, task_type), context = coalesce(?2, context),
              session = CASE WHEN ?3 THEN ?4 ELSE session END,
              success_rate = coalesce(?5, success_rate), metadata = coalesce(?6, metadata)
          WHERE id = ?7
          """
      ).execute(arguments: [
        change.taskType?.rawValue, change.context, change.session != nil,
        change.session?.map(\.canonicallyComposed), change.successRate, change.metadata?.canonicalText, id.rawValue,
      ])
      return try Self.require(id, db)
    }
  }

  package func delete(_ id: Episode.ID) async throws(MemoryError) -> Bool {
    try await write { db in try Self.delete("episodes", id: id.rawValue, db) }
  }

  package func episode(_ id: Episode.ID) async throws(MemoryError) -> Versioned<Episode?> {
    try await readVersioned { db in try EpisodeRow.fetch(db, id: id) }
  }

  package func episodes(
    _ filter: Episode.Filter, in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> Episode.Page {
    try await readRows { db in
      var conditions = Conditions(filter, scope)
      if let cursor {
        conditions.add("(e.created_at, e.seq) < (?, ?)", cursor.createdAt, cursor.row)
      }
      // One row more than the limit shows whether there is a next page.
      let rows = try Row.fetchCursor(
        db, sql: "\(Self.listing(conditions)) LIMIT ?", arguments: conditions.arguments + [limit + 1])
      var episodes: [Episode] = []
      var last: Episode.Page.Cursor?
      while let row = try rows.next() {
        guard episodes.count < limit else { return Episode.Page(elements: episodes, next: last) }
        let episode = try EpisodeRow.decode(row, db)
        last = Episode.Page.Cursor(createdAt: episode.createdAt.milliseconds, row: try row.value(0))
        episodes.append(episode)
      }
      return Episode.Page(elements: episodes, next: nil)
    }
  }

  /// Bytes of text after which a page of `episodesAsRecorded` ends: episodes differ too much in size to bound it by their
  /// number.
  private static let bytesPerPage = 4 << 20

  package func episodesAsRecorded(after cursor: Episode.Page.Cursor?, limit: Int) async throws(MemoryError)
    -> Episode.Page
  {
    try await readRows { db in
      let statement = try db.cachedStatement(
        sql: "SELECT \(EpisodeRow.columns) FROM episodes e WHERE e.seq > ? ORDER BY e.seq")
      let rows = try Row.fetchCursor(statement, arguments: [cursor?.row ?? 0])
      var episodes: [Episode] = []
      var bytes = 0
      var last: Episode.Page.Cursor?
      while let row = try rows.next() {
        guard episodes.count < limit, bytes < Self.bytesPerPage else {
          return Episode.Page(elements: episodes, next: last)
        }
        let episode = try EpisodeRow.decode(row, db)
        last = Episode.Page.Cursor(createdAt: episode.createdAt.milliseconds, row: try row.value(0))
        bytes += episode.textBytes
        episodes.append(episode)
      }
      return Episode.Page(elements: episodes, next: nil)
    }
  }

  /// The query behind `episodes`, without its limit.
  static func listing(_ conditions: Conditions) -> String {
    "SELECT \(EpisodeRow.columns) FROM episodes e \(conditions.whereClause) ORDER BY e.created_at DESC, e.seq DESC"
  }

  // MARK: Rows

  private static func require(_ id: Episode.ID, _ db: Database) throws -> Episode {
    guard let episode = try EpisodeRow.fetch(db, id: id) else { throw MemoryError.noEpisode(id) }
    return episode
  }

  private static func status(of id: Episode.ID, _ db: Database) throws -> Episode.Status {
    let statement = try db.cachedStatement(sql: "SELECT status FROM episodes WHERE id = ?")
    guard let text = try String.fetchOne(statement, arguments: [id.rawValue]) else { throw MemoryError.noEpisode(id) }
    guard let status = Episode.Status(rawValue: text) else {
      throw MemoryError(.corrupted, "episode \"\(id)\" has the unknown status \"\(text)\"; restore a backup")
    }
    return status
  }

  /// Deletes a row by its id, and by the schema's cascades the rows that belong to it.
  static func delete(_ table: String, id: String, _ db: Database) throws -> Bool {
    try db.cachedStatement(sql: "DELETE FROM \(table) WHERE id = ?").execute(arguments: [id])
    return db.changesCount > 0
  }
}

extension Episode {
  fileprivate var textBytes: Int {
    steps.reduce(context.utf8.count) { $0 + $1.action.utf8.count + ($1.result?.utf8.count ?? 0) }
  }
}
