package import EpisodicMemory
import GRDB

extension SQLitePrimaryStore {
  package func record(_ pattern: Pattern) async throws(MemoryError) -> Pattern {
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

  package func link(_ pattern: Pattern.ID, to episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await write { db in
      guard try EpisodeRow.exists(episode, db) else { throw MemoryError.noEpisode(episode) }
      guard try PatternRow.fetch(db, id: pattern) != nil else { throw MemoryError.noPattern(pattern) }
      try db.execute(
        sql: "INSERT INTO episode_patterns (episode_id, pattern_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        arguments: [episode.rawValue, pattern.rawValue])
      return db.changesCount > 0
    }
  }

  package func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await write { db in
      try db.execute(
        sql: "DELETE FROM episode_patterns WHERE episode_id = ? AND pattern_id = ?",
        arguments: [episode.rawValue, pattern.rawValue])
      return db.changesCount > 0
    }
  }

  package func markUsed(_ id: Pattern.ID, succeeded: Bool?, at now: Timestamp) async throws(MemoryError) -> Pattern {
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

  package func delete(_ id: Pattern.ID) async throws(MemoryError) -> Bool {
    try await write { db in try Self.delete("patterns", id: id.rawValue, db) }
  }

  package func pattern(_ type: PatternType, hash: String) async throws(MemoryError) -> Versioned<Pattern?> {
    try await readVersioned { db in try PatternRow.fetch(db, type: type, hash: hash) }
  }

  package func patterns(_ filter: Pattern.Filter, in scope: Query.Scope) async throws(MemoryError) -> [Pattern] {
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

  package func patterns(of episode: Episode.ID) async throws(MemoryError) -> [Pattern] {
    try await readRows { db in
      let sql = """
        SELECT \(PatternRow.columns) FROM episode_patterns l JOIN patterns p ON p.id = l.pattern_id
        WHERE l.episode_id = ? ORDER BY p.id
        """
      return try Row.fetchAll(db, sql: sql, arguments: [episode.rawValue]).map(PatternRow.decode)
    }
  }
}

/// Maps `Pattern` to a row of `patterns`.
enum PatternRow {
  /// In the order in which `decode` reads them.
  static let columns = """
    p.id, p.pattern_type, p.pattern_data, p.data_hash, p.success_rate, p.usage_count, p.last_used, p.created_at, p.metadata
    """

  static func decode(_ row: Row) throws -> Pattern {
    let id = Pattern.ID(composed: try row.value(0))
    let lastUsed: Int64? = try row.value(6)
    return Pattern(
      id: id, type: PatternType(try row.value(1)),
      data: JSON(stored: try row.value(2)), dataHash: try row.value(3),
      successRate: try row.value(4), usageCount: try row.value(5),
      lastUsed: lastUsed.map(Timestamp.init(milliseconds:)), createdAt: Timestamp(milliseconds: try row.value(7)),
      metadata: JSON(storedObject: try row.value(8)))
  }

  static func fetch(_ db: Database, id: Pattern.ID) throws -> Pattern? {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM patterns p WHERE p.id = ?")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map(decode)
  }

  static func fetch(_ db: Database, type: PatternType, hash: String) throws -> Pattern? {
    let statement = try db.cachedStatement(
      sql: "SELECT \(columns) FROM patterns p WHERE p.pattern_type = ? AND p.data_hash = ?")
    return try Row.fetchOne(statement, arguments: [type.rawValue, hash]).map(decode)
  }
}
