import LMDB

/// What a query requires, phrases and then prefixes, and the words that only add to the score.
struct RequiredTerms {
  let words: QueryTerms
  private let phrases: [[[UInt8]]]
  private let prefixes: [[UInt8]]

  /// - Throws: `.invalid` for a prefix longer than `WordKey.longestPrefix`.
  init(_ query: WordQuery) throws(LMDBError) {
    words = QueryTerms(query.words)
    phrases = query.phrases.filter { !$0.isEmpty }.map { phrase in
      phrase.map { token in token.withUnsafeBytes { WordKey.term($0) } }
    }
    prefixes = query.prefixes.filter { !$0.isEmpty }
    if let prefix = prefixes.first(where: { $0.count > WordKey.longestPrefix }) {
      throw LMDBError(
        .invalid, message: "a prefix of \(prefix.count) bytes: the word index has \(WordKey.longestPrefix) of a word")
    }
  }

  var count: Int { phrases.count + prefixes.count }

  /// The documents of a segment that meet one of the requirements, alive, by ordinal.
  func matches(of index: Int, in reader: FieldReader) throws(LMDBError) -> [RequiredMatch] {
    if index < phrases.count { return try PhraseMatcher.matches(of: phrases[index], in: reader) }
    return try PrefixMatcher.matches(of: prefixes[index - phrases.count], in: reader)
  }

  /// Tokens that a document has at least that meets a requirement so often: phrases may overlap, their beginnings not.
  @inline(__always)
  func leastLength(of index: Int, _ frequency: UInt32) -> UInt32 {
    index < phrases.count ? frequency &+ UInt32(truncatingIfNeeded: phrases[index].count &- 1) : frequency
  }
}
