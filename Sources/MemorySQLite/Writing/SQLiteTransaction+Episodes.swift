import EpisodicMemory
import GRDB

extension SQLiteTransaction {
  func insert(
    _ episodes: [Episode], embeddings: [Embedding], existing: Episode.ExistingPolicy
  ) throws(MemoryError) -> InsertionReport {
    try perform(grows: true) {
      var insertion = try EpisodeInsertion(
        existing: existing, embeddings: Dictionary(grouping: embeddings, by: \.episodeID), scope, AuditVerb.insert,
        audit, db)
      for episode in episodes { try insertion.add(episode) }
      return try insertion.finish()
    }
  }

  func begin(_ episode: Episode, _ request: IdempotentRequest?) throws(MemoryError) -> Episode {
    try perform(grows: true) {
      if let request, let first = try IdempotencyKeys.answer(to: request, in: episode.domain, db) {
        // What the request says is the same; id and time are of the first answer.
        return Episode(
          id: first.episode, taskType: episode.taskType, domain: episode.domain, session: episode.session,
          context: episode.context, createdAt: first.createdAt, metadata: episode.metadata,
          provenance: episode.provenance, parents: episode.parents)
      }
      var insertion = try EpisodeInsertion(existing: .fail, scope, AuditVerb.begin, audit, db)
      try insertion.add(episode)
      _ = try insertion.finish()
      if let request {
        try IdempotencyKeys.insert(request, episode.domain, episode.id, at: episode.createdAt, db)
      }
      // What it is derived from may lower its trust.
      return episode.parents.isEmpty ? episode : try require(episode.id)
    }
  }

  func append(
    _ steps: [Step.Draft], to id: Episode.ID, at now: Timestamp, _ request: IdempotentRequest?
  ) throws(MemoryError) -> [Step] {
    try perform(grows: true) {
      let append = StepAppend(drafts: steps, episode: id, now: now, scope: scope)
      guard let request else { return try StepAppend.perform([append], growth, audit, db).flatMap { try $0.get() } }
      let domain = try domain(of: id)
      if let first = try IdempotencyKeys.answer(to: request, in: domain, db) {
        return zip(steps, first.steps).map { Step($0, id: $1.id, number: $1.number, timestamp: $1.timestamp) }
      }
      let appended = try StepAppend.perform([append], growth, audit, db).flatMap { try $0.get() }
      try IdempotencyKeys.insert(request, domain, id, steps: appended, at: now, db)
      return appended
    }
  }

  func apply(
    _ transition: Episode.Transition, to id: Episode.ID, at now: Timestamp
  ) throws(MemoryError) -> Versioned<Episode> {
    try perform {
      let status = try status(of: id)
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
      try audit?.noteChanged(id, transition.verb, db)
      let episode = try require(id)
      return Versioned(episode, asOf: try ChangeFeed.watermark(db), isCacheable: !KeySession.hasOpened)
    }
  }

  func update(_ id: Episode.ID, with change: Episode.Change) throws(MemoryError) -> Episode {
    try update(id, with: change, needsRoom: true)
  }

  func update(
    _ id: Episode.ID, with change: Episode.Change, needsRoom: Bool
  ) throws(MemoryError) -> Episode {
    try perform(grows: needsRoom) {
      if let domain = try scope.onlyDomain ?? auditDomain(of: id), try KeySession.cipher(for: domain, db) != nil {
        return try updateSealed(id, with: change)
      }
      // Unchanged columns stay as they are stored: another program may have written what an `Episode` cannot hold.
      try db.cachedStatement(
        sql: """
          UPDATE episodes AS e SET task_type = coalesce(?1, task_type), context = coalesce(?2, context),
              session = CASE WHEN ?3 THEN ?4 ELSE session END,
              success_rate = coalesce(?5, success_rate), metadata = coalesce(?6, metadata),
              added = CASE WHEN ?9 THEN NULL ELSE added END, labels = CASE WHEN ?9 THEN NULL ELSE labels END
          WHERE id = ?7 AND (?8 IS NULL OR domain = ?8) AND \(DeletedEpisodes.excluded)
          """
      ).execute(arguments: [
        change.taskType?.rawValue, change.context, change.session != nil,
        change.session?.map(\.canonicallyComposed), change.successRate, change.metadata?.canonicalText, id.rawValue,
        scope.onlyDomain, change.changesWords,
      ])
      if change.changesWords { try Analysis.analyse(id, db) }
      let episode = try require(id)
      try audit?.noteChanged(id, AuditVerb.update, db)
      return episode
    }
  }

  /// Of an encrypted domain: all texts of the row are sealed together.
  private func updateSealed(_ id: Episode.ID, with change: Episode.Change) throws -> Episode {
    var episode = try require(id)
    if let taskType = change.taskType { episode.taskType = taskType }
    if let context = change.context { episode.context = context }
    if let session = change.session { episode.session = session }
    if let rate = change.successRate { episode.successRate = rate }
    if let metadata = change.metadata { episode.metadata = metadata }
    try SealedUpdate.write(episode, db)
    let updated = try require(id)
    try audit?.noteChanged(id, AuditVerb.update, db)
    return updated
  }

  func delete(_ id: Episode.ID) throws(MemoryError) -> Bool {
    try perform {
      let domain = try audit == nil ? nil : auditDomain(of: id)
      try db.cachedStatement(
        sql: "DELETE FROM episodes AS e WHERE id = ?1 AND (?2 IS NULL OR domain = ?2) AND \(DeletedEpisodes.excluded)"
      ).execute(arguments: [id.rawValue, scope.onlyDomain])
      guard db.changesCount > 0 else { return false }
      audit?.noteRemoved(.episode, id.rawValue, AuditVerb.delete, in: domain)
      return true
    }
  }

  func episode(_ id: Episode.ID) throws(MemoryError) -> Episode? {
    try perform { try EpisodeRow.fetch(db, id: id, in: scope) }
  }

  // MARK: Rows

  private func require(_ id: Episode.ID) throws -> Episode {
    guard let episode = try EpisodeRow.fetch(db, id: id, in: scope) else { throw MemoryError.noEpisode(id) }
    return episode
  }

  /// Of an episode that may be in any; `nil` if there is none.
  func auditDomain(of id: Episode.ID) throws -> String? {
    try String.fetchOne(
      db.cachedStatement(sql: "SELECT domain FROM episodes WHERE id = ?"), arguments: [id.rawValue])
  }

  private func domain(of id: Episode.ID) throws -> String {
    let statement = try db.cachedStatement(
      sql: "SELECT domain FROM episodes e WHERE id = ?1 AND (?2 IS NULL OR domain = ?2) AND \(DeletedEpisodes.excluded)"
    )
    guard let domain = try String.fetchOne(statement, arguments: [id.rawValue, scope.onlyDomain]) else {
      throw MemoryError.noEpisode(id)
    }
    return domain
  }

  private func status(of id: Episode.ID) throws -> Episode.Status {
    let statement = try db.cachedStatement(
      sql: "SELECT status FROM episodes e WHERE id = ?1 AND (?2 IS NULL OR domain = ?2) AND \(DeletedEpisodes.excluded)"
    )
    guard let text = try String.fetchOne(statement, arguments: [id.rawValue, scope.onlyDomain]) else {
      throw MemoryError.noEpisode(id)
    }
    guard let status = Episode.Status(rawValue: text) else {
      throw MemoryError(.corrupted, "episode \"\(id)\" has the unknown status \"\(text)\"; restore a backup")
    }
    return status
  }
}

extension Episode.Change {
  /// Whether it may change what is found of the episode: its context or its labels.
  fileprivate var changesWords: Bool { taskType != nil || context != nil || session != nil || metadata != nil }
}
