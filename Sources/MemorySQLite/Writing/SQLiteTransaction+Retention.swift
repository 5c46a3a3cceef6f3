import EpisodicMemory
import GRDB
import StoreRows

extension SQLiteTransaction {
  func apply(_ decision: RetentionDecision, at now: Timestamp) throws(MemoryError) -> RetentionOutcome {
    guard let audit else { return try perform { try carryOut(decision, at: now) } }
    return try perform { try audit.during(AuditVerb.retention) { try carryOut(decision, at: now) } }
  }

  private func carryOut(_ decision: RetentionDecision, at now: Timestamp) throws -> RetentionOutcome {
    let planned = decision.record
    guard let record = try RetentionRow.fetch(planned.id, db), record.row == planned.row,
      record.status == planned.status, record.domain == planned.domain,
      scope.onlyDomain ?? record.domain == record.domain,
      record.lastStepAt == planned.lastStepAt, record.createdAt == planned.createdAt,
      // It was reopened and ended again meanwhile.
      record.completedAt == planned.completedAt
    else { return .moot }
    if decision.action != .abandon, decision.keepsLinked, record.isLinked { return .moot }
    switch decision.action {
    case .archive:
      _ = try apply(.archive, to: record.id, at: now)
    case .abandon:
      let episode = try apply(.fail(successRate: nil), to: record.id, at: now).value
      // What a caller wrote under the same name stays.
      guard var metadata = episode.metadata.members, metadata["abandoned"] == nil else { return .applied }
      metadata["abandoned"] = .string("no step since \(record.lastStepAt ?? record.createdAt)")
      // Also below the floor of the disk: a refusal would undo the deletions beside it, which make room.
      _ = try update(record.id, with: Episode.Change(metadata: .object(metadata)), needsRoom: false)
    case .delete:
      let isGone = try DeletedEpisodes.delete(record.row, record.id, db)
      audit?.noteRemoved(.episode, record.id.rawValue, AuditVerb.retention, in: record.domain)
      return isGone ? .applied : .begun
    }
    return .applied
  }

  func sweepDeleted() throws(MemoryError) -> DeletionSweep {
    try perform { try DeletedEpisodes.sweep(db) }
  }
}

/// What policies of retention look at of an episode.
enum RetentionRow {
  private static let columns = """
    e.seq, e.id, e.domain, e.status, e.created_at, e.completed_at,
    CASE WHEN e.status = 'active' THEN (SELECT max(s.timestamp) FROM steps s WHERE s.episode_id = e.id) END,
    EXISTS (SELECT 1 FROM episode_patterns l JOIN patterns p ON p.id = l.pattern_id
            WHERE l.episode_id = e.id AND p.usage_count > 0)
    """

  /// The estimate of `RetentionPolicy.maximumBytes`.
  private static let bytes = """
    100 + length(CAST(e.context AS BLOB)) + length(CAST(e.metadata AS BLOB))
    + (SELECT coalesce(sum(100 + length(CAST(s.action AS BLOB)) + coalesce(length(CAST(s.result AS BLOB)), 0)
                           + coalesce(length(CAST(s.tool AS BLOB)), 0)), 0) FROM steps s WHERE s.episode_id = e.id)
    + (SELECT coalesce(sum(100 + length(CAST(m.content AS BLOB)) + length(m.embedding)), 0) FROM embeddings m
       WHERE m.episode_id = e.id)
    """

  static func page(measuringBytes: Bool) -> String {
    """
    SELECT \(columns), \(measuringBytes ? bytes : "0") FROM episodes e
    WHERE e.seq > ?1 AND (?2 IS NULL OR e.domain = ?2) AND \(DeletedEpisodes.excluded) ORDER BY e.seq LIMIT ?3
    """
  }

  static func fetch(_ id: Episode.ID, _ db: Database) throws -> RetentionRecord? {
    let statement = try db.cachedStatement(
      sql: "SELECT \(columns), 0 FROM episodes e WHERE e.id = ? AND \(DeletedEpisodes.excluded)")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map(record)
  }

  static func fetch(
    in scope: Query.Scope, after row: Int64, limit: Int, measuringBytes: Bool, _ db: Database
  ) throws -> [RetentionRecord] {
    let statement = try db.cachedStatement(sql: page(measuringBytes: measuringBytes))
    return try Row.fetchAll(statement, arguments: [row, scope.onlyDomain, limit]).map(record)
  }

  private static func record(_ row: Row) throws -> RetentionRecord {
    let (completed, lastStep): (Int64?, Int64?) = (try row.value(5), try row.value(6))
    return RetentionRecord(
      row: try row.value(0), id: Episode.ID(composed: try row.value(1)), domain: try row.value(2),
      status: Episode.Status(stored: try row.value(3)), createdAt: Timestamp(milliseconds: try row.value(4)),
      completedAt: completed.map(Timestamp.init(milliseconds:)),
      lastStepAt: lastStep.map(Timestamp.init(milliseconds:)), isLinked: try row.value(7), bytes: try row.value(8))
  }
}
