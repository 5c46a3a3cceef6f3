package import EpisodicMemory
import GRDB
import Learning
import StoreRows

/// Traces of runs, patterns that were learned from them, and advice.
extension SQLitePrimaryStore {
  package func followRuns(
    limit: Int, _ trace: @escaping @Sendable (FinishedRun) -> [UInt8]
  ) async throws(MemoryError) -> TraceProgress {
    // Without a change there is nothing to write, also in a store that is read-only.
    if try await readRows({ db in try RunTraceRow.isUpToDate(db) }) {
      return TraceProgress(looked: 0, isComplete: true)
    }
    return try await writeRows { db in try RunTraceRow.follow(limit: limit, trace, db) }
  }

  package func traces(maximumSteps: Int) async throws(MemoryError) -> [KeptTrace] {
    try await readRows { db in try RunTraceRow.traces(maximumSteps: maximumSteps, db) }
  }

  package func learnedPlaces() async throws(MemoryError) -> [LearnedPlace] {
    try await readRows { db in
      try Row.fetchAll(db, sql: Self.learnedPlaces).map { row in
        LearnedPlace(
          pattern: Pattern.ID(composed: try row.value(0)), key: PatternKey(json: JSON(stored: try row.value(1))),
          foundThrough: try row.value(2))
      }
    }
  }

  static let learnedPlaces = """
    SELECT l.pattern_id, p.pattern_data, l.found_through FROM learned_patterns l JOIN patterns p ON p.id = l.pattern_id
    ORDER BY l.pattern_id
    """

  package func learnedPatterns(in domain: String, situations: [String]) async throws(MemoryError) -> [Pattern] {
    try await readRows { db in
      let statement = try db.cachedStatement(sql: Self.learnedPatterns)
      var patterns: [Pattern] = []
      for situation in situations {
        patterns += try Row.fetchAll(statement, arguments: [domain, situation]).map { row in
          try PatternRow.decode(row, db)
        }
      }
      return patterns
    }
  }

  static let learnedPatterns = """
    SELECT \(PatternRow.columns) FROM learned_patterns l JOIN patterns p ON p.id = l.pattern_id
    WHERE l.domain = ? AND l.situation = ? AND p.least_trust > \(Trust.quarantined.level) ORDER BY p.id
    """

  package func adviceRecords() async throws(MemoryError) -> [AdviceRecord] {
    try await readRows { db in
      try Row.fetchAll(
        db, sql: "SELECT episode_id, pattern_id, step, randomised, held_back, taken, helped FROM advice"
      ).map { row in
        AdviceRecord(
          episode: Episode.ID(composed: try row.value(0)), pattern: Pattern.ID(composed: try row.value(1)),
          step: try row.value(2), isRandomised: try row.value(3), isHeldBack: try row.value(4), taken: try row.value(5),
          helped: try row.value(6))
      }
    }
  }

  package func adviceExperiment() async throws(MemoryError) -> AdviceExperiment? {
    try await readRows { db in
      var shown = (episodes: 0, successes: 0)
      var heldBack = shown
      for row in try Row.fetchAll(db, sql: Self.adviceExperiment) {
        let isHeldBack: Bool = try row.value(0)
        let counts: (Int, Int) = (try row.value(1), try row.value(2))
        if isHeldBack { heldBack = counts } else { shown = counts }
      }
      guard shown.episodes + heldBack.episodes > 0 else { return nil }
      return AdviceExperiment(
        shown: shown.episodes, shownSuccesses: shown.successes, heldBack: heldBack.episodes,
        heldBackSuccesses: heldBack.successes)
    }
  }

  /// An episode is in one of the two groups: its id decided.
  static let adviceExperiment = """
    SELECT a.held_back, count(*), sum(e.status = 'completed')
    FROM (SELECT episode_id, max(held_back) AS held_back FROM advice WHERE randomised GROUP BY episode_id) a
    JOIN episodes e ON e.id = a.episode_id WHERE e.status IN ('completed', 'failed') GROUP BY a.held_back
    """
}
