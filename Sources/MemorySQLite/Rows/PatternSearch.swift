import EpisodicMemory
import GRDB

/// A filter of patterns as SQL, but for partial data: that only narrows the rows to those with its words.
struct PatternSearch {
  let sql: String
  let arguments: StatementArguments

  /// - Parameter keyed: Of an encrypted domain.
  /// - Throws: `.invalid` for a text without a word.
  init(_ filter: Pattern.Filter, _ scope: Query.Scope, _ keyed: KeyedTerms? = nil) throws {
    var clauses: [String] = []
    var arguments = StatementArguments()
    func add(_ clause: String, _ values: (any DatabaseValueConvertible)...) {
      clauses.append(clause)
      arguments += StatementArguments(values)
    }
    let words = try filter.words().map { try $0.fullTextExpression(keyed) }
    if let words { add("patterns_text MATCH ?", words) }
    if let data = try filter.wordsOfData().map({ try $0.fullTextExpression(keyed) }) {
      add("p.seq IN (SELECT rowid FROM patterns_text WHERE patterns_text MATCH ?)", data)
    }
    if let type = filter.type { add("p.pattern_type = ?", type.rawValue) }
    if let rate = filter.minimumSuccessRate { add("p.success_rate >= ?", rate) }
    if filter.minimumTrust > .quarantined { add("p.least_trust >= ?", filter.minimumTrust.level) }
    switch (filter.episode, scope.onlyDomain) {
    case (nil, nil): break
    case (let episode?, nil):
      add("EXISTS (SELECT 1 FROM episode_patterns l WHERE l.episode_id = ? AND l.pattern_id = p.id)", episode.rawValue)
    case (nil, let domain?):
      add(
        """
        (p.domain = ? AND p.domain <> '' OR p.domain = '' AND EXISTS (
            SELECT 1 FROM episode_patterns l JOIN episodes e ON e.id = l.episode_id
            WHERE l.pattern_id = p.id AND e.domain = ?))
        """, domain, domain)
    case (let episode?, let domain?):
      // An episode of another domain is not there (I8).
      add(
        """
        EXISTS (SELECT 1 FROM episode_patterns l JOIN episodes e ON e.id = l.episode_id
                WHERE l.pattern_id = p.id AND l.episode_id = ? AND e.domain = ? AND p.domain IN ('', e.domain))
        """, episode.rawValue, domain)
    }
    // CROSS JOIN keeps the full-text index the outer loop. SQLite's bm25 is lower for better matches.
    let (tables, order) =
      words == nil
      ? ("patterns p", "")
      : ("patterns_text CROSS JOIN patterns p ON p.seq = patterns_text.rowid", "bm25(patterns_text), ")
    let condition = clauses.isEmpty ? "" : "WHERE " + clauses.joined(separator: " AND ")
    sql = """
      SELECT \(PatternRow.columns) FROM \(tables) \(condition)
      ORDER BY \(order)p.success_rate DESC, p.usage_count DESC, p.id\(filter.data == nil ? " LIMIT ?" : "")
      """
    self.arguments = filter.data == nil ? arguments + [filter.limit] : arguments
  }
}

extension PatternTerms {
  /// The FTS5 expression, every term quoted: any of the words, all of the phrases.
  fileprivate func fullTextExpression(_ keyed: KeyedTerms?) throws -> String {
    guard let keyed else { return fullTextExpression }
    let digests =
      words.isEmpty
      ? try phrases.map { try keyed.expression($0) }.joined(separator: " AND ")
      : try words.map { try keyed.expression([$0]) }.joined(separator: " OR ")
    return "(\(fullTextExpression)) OR (\(digests))"
  }

  private var fullTextExpression: String {
    words.isEmpty
      ? phrases.map { Self.quoted($0.joined(separator: " ")) }.joined(separator: " AND ")
      : words.map(Self.quoted).joined(separator: " OR ")
  }

  private static func quoted(_ text: String) -> String {
    let quoted = spellings(of: text).map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }
    return quoted.count == 1 ? quoted[0] : "(" + quoted.joined(separator: " OR ") + ")"
  }
}
