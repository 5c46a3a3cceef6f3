import EpisodicMemory
import GRDB

extension SQLiteTransaction {
  func record(
    _ pattern: Pattern, earlierHash: String?, from episode: Episode.ID?
  ) throws(MemoryError) -> Pattern {
    try perform(grows: true) {
      if let episode, try !EpisodeRow.exists(episode, in: scope, db) { throw MemoryError.noEpisode(episode) }
      // Through the handle of a domain: a pattern of that domain.
      let domain = scope.onlyDomain ?? pattern.domain
      func existing(_ hash: String) throws -> Pattern? {
        try PatternRow.fetch(db, type: pattern.type, hash: hash, domain: domain)
      }
      var hash = pattern.dataHash
      if let earlierHash, try existing(earlierHash) != nil { hash = earlierHash }
      if let cipher = try KeySession.cipher(for: domain, db) {
        try SealedUpdate.record(pattern, hash: hash, domain: domain, existing(hash), cipher, db)
      } else {
        try db.cachedStatement(
          sql: """
            INSERT INTO patterns
                (id, domain, pattern_type, pattern_data, data_hash, success_rate, usage_count, created_at, metadata)
            VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)
            ON CONFLICT (pattern_type, data_hash, domain) DO UPDATE SET
                success_rate = coalesce(excluded.success_rate, success_rate),
                metadata = CASE excluded.metadata WHEN '{}' THEN metadata ELSE excluded.metadata END
            """
        ).execute(arguments: [
          pattern.id.rawValue, PatternRow.column(domain), pattern.type.rawValue, pattern.data.canonicalText, hash,
          pattern.successRate, pattern.createdAt.milliseconds, pattern.metadata.canonicalText,
        ])
      }
      guard let kept = try existing(hash) else { throw MemoryError.noPattern(pattern.id) }
      var linked: Pattern?
      if let episode {
        guard try isLinkable(kept.id, to: episode) else { throw MemoryError.noEpisode(episode) }
        if try insertLink(kept.id, episode) {
          try noteLink(kept.id, episode, AuditVerb.link)
          linked = try existing(hash)
        }
      }
      try audit?.noteChanged(kept.id, AuditVerb.recordPattern, db)
      return linked ?? kept
    }
  }

  private func insertLink(_ pattern: Pattern.ID, _ episode: Episode.ID) throws -> Bool {
    try db.cachedStatement(
      sql: "INSERT INTO episode_patterns (episode_id, pattern_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
    ).execute(arguments: [episode.rawValue, pattern.rawValue])
    guard db.changesCount > 0 else { return false }
    try TrustRow.inherit(pattern, from: episode, db)
    return true
  }

  func link(_ pattern: Pattern.ID, to episode: Episode.ID) throws(MemoryError) -> Bool {
    try perform(grows: true) {
      guard try EpisodeRow.exists(episode, in: scope, db) else { throw MemoryError.noEpisode(episode) }
      // That of another domain is not there for this episode (I8).
      guard try isVisible(pattern), try isLinkable(pattern, to: episode) else { throw MemoryError.noPattern(pattern) }
      guard try insertLink(pattern, episode) else { return false }
      try noteLink(pattern, episode, AuditVerb.link)
      return true
    }
  }

  private func noteLink(_ pattern: Pattern.ID, _ episode: Episode.ID, _ verb: String) throws {
    guard let audit else { return }
    let domain = try auditDomain(of: episode)
    audit.noteNamed(.episode, episode.rawValue, verb, in: domain)
    audit.noteNamed(.pattern, pattern.rawValue, verb, in: domain)
    audit.note(verb, in: domain, ["links": 1])
  }

  func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) throws(MemoryError) -> Bool {
    try perform {
      guard try EpisodeRow.exists(episode, in: scope, db) else { return false }
      try db.execute(
        sql: "DELETE FROM episode_patterns WHERE episode_id = ? AND pattern_id = ?",
        arguments: [episode.rawValue, pattern.rawValue])
      guard db.changesCount > 0 else { return false }
      try noteLink(pattern, episode, AuditVerb.unlink)
      return true
    }
  }

  func markUsed(_ id: Pattern.ID, succeeded: Bool?, at now: Timestamp) throws(MemoryError) -> Pattern {
    try perform {
      guard try isVisible(id) else { throw MemoryError.noPattern(id) }
      try requireOwn(id)
      try db.cachedStatement(
        sql: """
          UPDATE patterns SET
              success_rate = CASE WHEN ?1 IS NULL THEN success_rate
                  ELSE (coalesce(success_rate, ?1) * usage_count + ?1) / (usage_count + 1.0) END,
              usage_count = usage_count + 1, last_used = ?2
          WHERE id = ?3
          """
      ).execute(arguments: [succeeded.map { $0 ? 1.0 : 0.0 }, now.milliseconds, id.rawValue])
      guard let pattern = try PatternRow.fetch(db, id: id) else { throw MemoryError.noPattern(id) }
      try audit?.noteChanged(id, AuditVerb.markUsed, db)
      return pattern
    }
  }

  func delete(_ id: Pattern.ID) throws(MemoryError) -> Bool {
    try perform {
      guard try isVisible(id) else { return false }
      try requireOwn(id)
      let domain = try audit == nil ? nil : PatternRow.fetch(db, id: id)?.domain
      try db.cachedStatement(sql: "DELETE FROM patterns WHERE id = ?").execute(arguments: [id.rawValue])
      guard db.changesCount > 0 else { return false }
      audit?.noteRemoved(.pattern, id.rawValue, AuditVerb.deletePattern, in: domain)
      return true
    }
  }

  /// A shared pattern is seen by all domains, and so would be what one of them changes (I8).
  ///
  /// - Throws: `.conflict` if the scope is a domain and the pattern is shared.
  func requireOwn(_ id: Pattern.ID) throws {
    guard scope.onlyDomain != nil else { return }
    let statement = try db.cachedStatement(sql: "SELECT domain <> '' FROM patterns WHERE id = ?")
    guard try Bool.fetchOne(statement, arguments: [id.rawValue]) == true else {
      throw MemoryError(.conflict, "the pattern \"\(id)\" is shared by all domains; change it outside of a domain")
    }
  }

  /// Whether the pattern is shared or of the episode's domain.
  private func isLinkable(_ id: Pattern.ID, to episode: Episode.ID) throws -> Bool {
    let statement = try db.cachedStatement(
      sql:
        "SELECT 1 FROM patterns p JOIN episodes e ON e.id = ? WHERE p.id = ? AND p.domain IN ('', e.domain) AND \(DeletedEpisodes.excluded)"
    )
    return try Int.fetchOne(statement, arguments: [episode.rawValue, id.rawValue]) != nil
  }

  /// Whether the pattern exists and, in a domain, belongs to it, or is shared and linked to one of its episodes (I8).
  func isVisible(_ id: Pattern.ID) throws -> Bool {
    let statement = try db.cachedStatement(
      sql: """
        SELECT 1 FROM patterns p WHERE p.id = ?1 AND (?2 IS NULL OR p.domain = ?2 AND ?2 <> '' OR p.domain = '' AND EXISTS (
            SELECT 1 FROM episode_patterns l JOIN episodes e ON e.id = l.episode_id
            WHERE l.pattern_id = p.id AND e.domain = ?2))
        """)
    return try Int.fetchOne(statement, arguments: [id.rawValue, scope.onlyDomain]) != nil
  }
}
