public import EpisodicMemory
import GRDB

extension SQLitePrimaryStore {
  public func record(_ pattern: Pattern) async throws(MemoryError) -> Pattern {
    try await write { db in
      try db.cachedStatement(
        sql: """
          INSERT INTO patterns (id, pattern_type, pattern_data, data_hash, success_rate, usage_count, created_at, metadata)
          VALUES (?, ?, ?, ?, ?, 0, ?, ?)
          ON CONFLICT (pattern_type, data_hash) DO UPDATE SET
              success_rate = coalesce(excluded.success_rate, success_rate),
              metadata = CASE excluded.metadata WHEN '{}' THEN metadata ELSE excluded.metadata END
          """
      ).execute(arguments: [
        pattern.id.rawValue, pattern.type.rawValue, pattern.data.canonicalText, pattern.dataHash, pattern.successRate,
        pattern.createdAt.milliseconds, pattern.metadata.canonicalText,
      ])
      guard let kept = try PatternRow.fetch(db, type: pattern.type, hash: pattern.dataHash) else {
        throw MemoryError.noPattern(pattern.id)
      }
      return kept
    }
  }

  public func link(_ pattern: Pattern.ID, to episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await write { db in
      guard try EpisodeRow.exists(episode, db) else { throw MemoryError.noEpisode(episode) }
      guard try PatternRow.fetch(db, id: pattern) != nil else { throw MemoryError.noPattern(pattern) }
      try db.execute(
        sql: "INSERT INTO episode_patterns (episode_id, pattern_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        arguments: [episode.rawValue, pattern.rawValue])
      return db.changesCount > 0
    }
  }

  public func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await write { db in
      try db.execute(
        sql: "DELETE FROM episode_patterns WHERE episode_id = ? AND pattern_id = ?",
        arguments: [episode.rawValue, pattern.rawValue])
      return db.changesCount > 0
    }
  }

  public func markUsed(_ id: Pattern.ID, succeeded: Bool?, at now: Timestamp) async throws(MemoryError) -> Pattern {
    try await write { db in
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
      return pattern
    }
  }

  public func delete(_ id: Pattern.ID) async throws(MemoryError) -> Bool {
    try await write { db in try Self.delete("patterns", id: id.rawValue, db) }
  }

  public func pattern(_ type: PatternType, hash: String) async throws(MemoryError) -> Versioned<Pattern?> {
    try await readVersioned { db in try PatternRow.fetch(db, type: type, hash: hash) }
  }

  public func patterns(_ filter: Pattern.Filter, in scope: Scope) async throws(MemoryError) -> [Pattern] {
    try await readRows { db in
      var clauses: [String] = []
      var arguments = StatementArguments()
      if let type = filter.type {
        clauses.append("p.pattern_type = ?")
        arguments += [type.rawValue]
      }
      if let rate = filter.minimumSuccessRate {
        clauses.append("p.success_rate >= ?")
        arguments += [rate]
      }
      if case .domain(let domain) = scope {
        clauses.append(
          """
          EXISTS (SELECT 1 FROM episode_patterns l JOIN episodes e ON e.id = l.episode_id
                  WHERE l.pattern_id = p.id AND e.domain = ?)
          """)
        arguments += [domain.canonicallyComposed]
      }
      let condition = clauses.isEmpty ? "" : "WHERE " + clauses.joined(separator: " AND ")
      let sql = """
        SELECT \(PatternRow.columns) FROM patterns p \(condition)
        ORDER BY p.success_rate DESC, p.usage_count DESC, p.id LIMIT ?
        """
      return try Row.fetchAll(db, sql: sql, arguments: arguments + [filter.limit]).map(PatternRow.decode)
    }
  }

  public func patterns(of episode: Episode.ID) async throws(MemoryError) -> [Pattern] {
    try await readRows { db in
      let sql = """
        SELECT \(PatternRow.columns) FROM episode_patterns l JOIN patterns p ON p.id = l.pattern_id
        WHERE l.episode_id = ? ORDER BY p.id
        """
      return try Row.fetchAll(db, sql: sql, arguments: [episode.rawValue]).map(PatternRow.decode)
    }
  }
}
