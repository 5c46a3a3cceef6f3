import EpisodicMemory
import GRDB
import StoreRows

extension SQLiteTransaction {
  func keepLearned(_ rows: [LearnedRow]) throws(MemoryError) -> Int {
    var kept: Set<String> = []
    for row in rows {
      let pattern = try record(row.pattern, earlierHash: nil, from: nil)
      kept.insert(pattern.id.rawValue)
      try perform(grows: true) { try keep(row, as: pattern.id) }
    }
    return try perform {
      let gone = try String.fetchAll(db, sql: "SELECT pattern_id FROM learned_patterns ORDER BY pattern_id")
        .filter { !kept.contains($0) }
      let deletion = try db.cachedStatement(sql: "DELETE FROM patterns WHERE id = ?")
      for id in gone {
        let domain = try audit == nil ? nil : PatternRow.fetch(db, id: Pattern.ID(composed: id))?.domain
        try deletion.execute(arguments: [id])
        audit?.noteRemoved(.pattern, id, AuditVerb.deletePattern, in: domain)
      }
      return gone.count
    }
  }

  private func keep(_ row: LearnedRow, as id: Pattern.ID) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO learned_patterns (pattern_id, domain, situation, found_through) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (pattern_id) DO UPDATE SET domain = ?2, situation = ?3, found_through = ?4
        """
    ).execute(arguments: [id.rawValue, row.pattern.domain ?? "", row.situation, row.foundThrough])
    let before = try Set(
      String.fetchAll(
        db.cachedStatement(sql: "SELECT episode_id FROM episode_patterns WHERE pattern_id = ?"),
        arguments: [id.rawValue]))
    let after = Set(row.episodes.map(\.rawValue))
    let removal = try db.cachedStatement(sql: "DELETE FROM episode_patterns WHERE episode_id = ? AND pattern_id = ?")
    for episode in before.subtracting(after).sorted() { try removal.execute(arguments: [episode, id.rawValue]) }
    // One that was deleted since is left out, as is one that moved to another domain.
    let insertion = try db.cachedStatement(
      sql: """
        INSERT INTO episode_patterns (episode_id, pattern_id) SELECT e.id, ?2 FROM episodes e WHERE e.id = ?1 AND e.domain = ?3
        """)
    for episode in after.subtracting(before).sorted() {
      try insertion.execute(arguments: [episode, id.rawValue, row.pattern.domain ?? ""])
    }
    try TrustRow.recompute(patterns: [id.rawValue], db)
  }

  func record(_ advice: [AdviceRecord], at now: Timestamp) throws(MemoryError) {
    try perform(grows: true) {
      // What is missing is found before anything is written.
      for one in advice {
        guard try EpisodeRow.exists(one.episode, in: scope, db) else { throw MemoryError.noEpisode(one.episode) }
        guard try PatternRow.fetch(db, id: one.pattern) != nil else { throw MemoryError.noPattern(one.pattern) }
      }
      let statement = try db.cachedStatement(
        sql: """
          INSERT INTO advice (episode_id, pattern_id, step, randomised, held_back, taken, helped, given_at)
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
          ON CONFLICT (episode_id, pattern_id) DO UPDATE SET taken = coalesce(?6, taken), helped = coalesce(?7, helped)
          """)
      for one in advice {
        try statement.execute(arguments: [
          one.episode.rawValue, one.pattern.rawValue, one.step, one.isRandomised, one.isHeldBack, one.taken, one.helped,
          now.milliseconds,
        ])
        guard let audit else { continue }
        let domain = try auditDomain(of: one.episode)
        audit.noteNamed(.episode, one.episode.rawValue, AuditVerb.advice, in: domain)
        audit.noteNamed(.pattern, one.pattern.rawValue, AuditVerb.advice, in: domain)
        audit.note(AuditVerb.advice, in: domain, ["advice": 1])
      }
    }
  }
}
