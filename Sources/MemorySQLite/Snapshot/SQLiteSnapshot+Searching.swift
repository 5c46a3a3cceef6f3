import EpisodicMemory
import GRDB
import SQLiteStorage

extension SQLiteSnapshot {
  /// Every matching row is visited, because bm25 is known only then; no row is sorted.
  func words(_ request: RecallRequest) throws(MemoryError) -> [Candidates.Words] {
    guard let terms = request.terms else { return [] }
    return try reading {
      let conditions = Conditions(request.filter, request.scope)
      let arguments = StatementArguments([terms.fullTextExpression]) + conditions.arguments
      var found: [Int64: Candidates.Words] = [:]
      var contexts = try RawStatement(Self.contextSearch(conditions), arguments, db)
      while try contexts.step() {
        let episode = contexts.integer(0)
        found[episode] = Candidates.Words(row: episode, context: contexts.double(1))
      }
      var steps = try RawStatement(Self.stepSearch(conditions), arguments, db)
      while try steps.step() {
        let episode = steps.integer(0)
        found[episode, default: Candidates.Words(row: episode)]
          .keep(step: steps.integer(1), score: steps.double(2), atMost: request.stepsPerEpisode)
      }
      return Array(found.values)
    }
  }

  /// SQLite's bm25 is lower where a match is better. CROSS JOIN keeps the full-text index the outer loop.
  static func contextSearch(_ conditions: Conditions) -> String {
    """
    SELECT e.seq, -bm25(episodes_text) FROM episodes_text CROSS JOIN episodes e ON e.seq = episodes_text.rowid
    WHERE episodes_text MATCH ?\(conditions.andClause)
    """
  }

  static func stepSearch(_ conditions: Conditions) -> String {
    """
    SELECT e.seq, s.seq, -bm25(steps_text) FROM steps_text CROSS JOIN steps s ON s.seq = steps_text.rowid
        CROSS JOIN episodes e ON e.id = s.episode_id
    WHERE steps_text MATCH ?\(conditions.andClause)
    """
  }
}

extension Candidates.Words {
  /// Keeps the best steps, best first; of equal ones the earlier row.
  fileprivate mutating func keep(step row: Int64, score: Double, atMost count: Int) {
    let place = steps.firstIndex { ($0.score, row) < (score, $0.row) } ?? steps.count
    guard place < count else { return }
    steps.insert((row, score), at: place)
    if steps.count > count { steps.removeLast() }
  }
}
