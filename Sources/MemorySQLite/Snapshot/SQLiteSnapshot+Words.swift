import EpisodicMemory
import GRDB
import SQLiteStorage

extension SQLiteSnapshot {
  /// Visits every matching row, because only then bm25 is known; sorts none.
  func words(_ request: RecallRequest) throws(MemoryError) -> [Candidates.Words] {
    guard let terms = request.terms else { return [] }
    return try reading {
      let conditions = try conditions(request.scope, request.filter)
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

  /// SQLite's bm25 is lower for better matches. CROSS JOIN keeps the full-text index the outer loop.
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
  /// Keeps the best `count` steps, best first; of equal scores the lower row.
  fileprivate mutating func keep(step row: Int64, score: Double, atMost count: Int) {
    let place = steps.firstIndex { ($0.score, row) < (score, $0.row) } ?? steps.count
    guard place < count else { return }
    steps.insert((row, score), at: place)
    if steps.count > count { steps.removeLast() }
  }
}

extension SQLiteSnapshot {
  func words(
    of text: UnsafeRawBufferPointer, _ body: (_ word: UnsafeRawBufferPointer, _ place: UInt32) -> Void
  ) throws(MemoryError) {
    try reading {
      let tokenizer = try lazy.tokenizer ?? tokenizers.take(db)
      lazy.tokenizer = tokenizer
      try tokenizer.cut(text, body)
    }
  }
}

extension SearchTerms {
  /// The FTS5 expression, every term quoted, so that text is never parsed as syntax.
  ///
  /// A row must hold every phrase and prefix; words then only add to its score. Without phrases and prefixes, a row must
  /// hold at least one word.
  var fullTextExpression: String {
    let words = words.map { Self.quoted($0) }
    let required =
      phrases.map { Self.quoted($0.joined(separator: " ")) } + prefixes.map { Self.quoted($0, isPrefix: true) }
    guard !required.isEmpty else { return words.joined(separator: " OR ") }
    let all = required.joined(separator: " AND ")
    return words.isEmpty ? all : "(\(all)) AND (\((words + required).joined(separator: " OR ")))"
  }

  private static func quoted(_ text: String, isPrefix: Bool = false) -> String {
    let quoted = spellings(of: text).map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" + (isPrefix ? " *" : "") }
    return quoted.count == 1 ? quoted[0] : "(" + quoted.joined(separator: " OR ") + ")"
  }
}
