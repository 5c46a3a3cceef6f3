import EpisodicMemory
import GRDB
import SQLiteStorage

extension SQLiteSnapshot {
  func candidates(for request: RecallRequest) -> any CandidateSource { PrimaryCandidates(request, in: self) }
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

  static func quoted(_ text: String, isPrefix: Bool = false) -> String {
    "\"" + text.replacing("\"", with: "\"\"") + "\"" + (isPrefix ? " *" : "")
  }
}
