import EpisodicMemory
import GRDB
import StoreRows

extension SQLiteTransaction {
  func decide(_ request: TrustRequest) throws(MemoryError) -> TrustReport {
    try perform {
      switch request.subject {
      case .episode(let id): return try decide(request, onEpisode: id)
      case .step(let id): return try decide(request, onStep: id)
      case .pattern(let id): return try decide(request, onPattern: id)
      case .source(let source, let since):
        let rows = try SourceRows.episodes(of: source, since: since, in: scope, db)
        guard !rows.isEmpty else {
          throw MemoryError(
            .notFound, "no episode of the source \"\(source)\"; list episodes to see where they come from")
        }
        var report = TrustReport()
        for id in rows.sorted(by: { $0.key < $1.key }).map(\.value) {
          let id = Episode.ID(composed: id)
          if request.raises, try leastTrust(of: id) >= request.trust { continue }
          report.add(try decide(request, onEpisode: id))
        }
        return report
      }
    }
  }

  private func decide(_ request: TrustRequest, onEpisode id: Episode.ID) throws -> TrustReport {
    let before = try leastTrust(of: id)
    try requireRaise(request, from: before, "episode \"\(id)\"")
    var report = TrustReport()
    try db.cachedStatement(sql: "UPDATE episodes SET trust = ?1 WHERE id = ?2").execute(arguments: [
      request.trust.level, id.rawValue,
    ])
    if request.trust < before {
      report.add(try TrustRow.lower(id, to: request.trust.level, db))
    } else if request.trust > before {
      try db.cachedStatement(sql: "UPDATE episodes SET least_trust = ?1 WHERE id = ?2").execute(arguments: [
        request.trust.level, id.rawValue,
      ])
      report.episodes = 1
    }
    try insert(request, before, column: "episode_id", id.rawValue)
    try audit?.noteChanged(id, AuditVerb.trust, db)
    return report
  }

  private func decide(_ request: TrustRequest, onStep id: Step.ID) throws -> TrustReport {
    let statement = try db.cachedStatement(
      sql: """
        SELECT e.id, coalesce(\(TrustRow.level("s")), \(TrustRow.level("e")), \(Trust.trusted.level))
        FROM steps s JOIN episodes e ON e.id = s.episode_id
        WHERE s.id = ?1 AND (?2 IS NULL OR e.domain = ?2) AND \(DeletedEpisodes.excluded)
        """)
    guard let row = try Row.fetchOne(statement, arguments: [id.rawValue, scope.onlyDomain]) else {
      throw MemoryError(.notFound, "no step \"\(id)\"; steps are named by the ids that append returns")
    }
    let episode = Episode.ID(composed: try row.value(0))
    let before = Trust(stored: try row.value(1))
    try requireRaise(request, from: before, "step \"\(id)\"")
    try db.cachedStatement(sql: "UPDATE steps SET trust = ?1 WHERE id = ?2").execute(arguments: [
      request.trust.level, id.rawValue,
    ])
    var report = TrustReport()
    report.steps = 1
    report.add(try TrustRow.lower(episode, to: request.trust.level, db))
    try insert(request, before, column: "step_id", id.rawValue)
    if let audit, let domain = try auditDomain(of: episode) {
      audit.noteNamed(.episode, episode.rawValue, AuditVerb.trust, in: domain)
      audit.note(AuditVerb.trust, in: domain, ["steps": 1])
    }
    return report
  }

  private func decide(_ request: TrustRequest, onPattern id: Pattern.ID) throws -> TrustReport {
    guard try isVisible(id), let pattern = try PatternRow.fetch(db, id: id) else { throw MemoryError.noPattern(id) }
    try requireOwn(id)
    try requireRaise(request, from: pattern.trust, "pattern \"\(id)\"")
    try db.cachedStatement(sql: "UPDATE patterns SET trust = ?1, least_trust = ?1 WHERE id = ?2").execute(arguments: [
      request.trust.level, id.rawValue,
    ])
    try insert(request, pattern.trust, column: "pattern_id", id.rawValue)
    try audit?.noteChanged(id, AuditVerb.trust, db)
    var report = TrustReport()
    report.patterns = 1
    return report
  }

  private func leastTrust(of id: Episode.ID) throws -> Trust {
    let statement = try db.cachedStatement(
      sql: """
        SELECT least_trust FROM episodes e WHERE id = ?1 AND (?2 IS NULL OR domain = ?2) AND \(DeletedEpisodes.excluded)
        """)
    guard let level = try Int64.fetchOne(statement, arguments: [id.rawValue, scope.onlyDomain]) else {
      throw MemoryError.noEpisode(id)
    }
    return Trust(stored: level)
  }

  private func requireRaise(_ request: TrustRequest, from before: Trust, _ subject: String) throws {
    guard request.raises, before >= request.trust else { return }
    throw MemoryError(
      .conflict, "\(subject) is \(before.rawValue) already; name a level above that, or lower it with trust")
  }

  private func insert(_ request: TrustRequest, _ before: Trust, column: String, _ id: String) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO trust_decisions (\(column), trust, before, actor, reason, decided_at) VALUES (?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      id, request.trust.level, before.level, request.actor, request.reason, request.now.milliseconds,
    ])
  }
}

extension TrustReport {
  mutating func add(_ other: TrustReport) {
    episodes += other.episodes
    steps += other.steps
    patterns += other.patterns
  }
}

/// Finds the episodes of a source.
enum SourceRows {
  /// Ids by row.
  ///
  /// - Parameter source: A kind of source, or the id of one.
  static func episodes(
    of source: String, since: Timestamp?, in scope: Query.Scope, _ db: Database
  ) throws -> [Int64: String] {
    let column = Provenance.Source(rawValue: source) == nil ? "source_id" : "source"
    let arguments: StatementArguments = [
      source.canonicallyComposed, since?.milliseconds ?? Timestamp.accepted.lowerBound.milliseconds, scope.onlyDomain,
    ]
    var found: [Int64: String] = [:]
    for sql in [episodes(column), steps(column)] {
      let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
      while let row = try rows.next() { found[try row.value(0)] = try row.value(1) }
    }
    return found
  }

  /// The episodes that were derived from some, directly or not; ids by row.
  static func descendants(
    of episodes: some Collection<String>, in scope: Query.Scope, _ db: Database
  ) throws -> [Int64: String] {
    var found: [Int64: String] = [:]
    var pending = Array(episodes)
    let statement = try db.cachedStatement(
      sql: """
        SELECT e.seq, e.id FROM episode_parents p JOIN episodes e ON e.id = p.child_id
        WHERE p.parent_id = ?1 AND (?2 IS NULL OR e.domain = ?2) AND \(DeletedEpisodes.excluded)
        """)
    while let parent = pending.popLast() {
      for row in try Row.fetchAll(statement, arguments: [parent, scope.onlyDomain]) {
        let id: String = try row.value(1)
        if found.updateValue(id, forKey: try row.value(0)) == nil { pending.append(id) }
      }
    }
    return found
  }

  static func episodes(_ column: String) -> String {
    """
    SELECT e.seq, e.id FROM episodes e WHERE e.\(column) = ?1 AND e.created_at >= ?2 AND (?3 IS NULL OR e.domain = ?3)
        AND \(DeletedEpisodes.excluded)
    """
  }

  static func steps(_ column: String) -> String {
    """
    SELECT e.seq, e.id FROM steps s CROSS JOIN episodes e ON e.id = s.episode_id
    WHERE s.\(column) = ?1 AND s.timestamp >= ?2 AND (?3 IS NULL OR e.domain = ?3) AND \(DeletedEpisodes.excluded)
    """
  }
}
