import EpisodicMemory

extension SearchTerms {
  /// The FTS5 expression: every term quoted, so that no text is ever syntax.
  ///
  /// Words rank and, where nothing is required, select. A row must hold every phrase and prefix; its words then only
  /// add to its score.
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
