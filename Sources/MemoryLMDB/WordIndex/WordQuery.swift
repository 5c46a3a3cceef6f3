/// What to look for, as tokens.
///
/// Without phrases and prefixes a document matches that has any of the words. With them it must contain every one, and its
/// words only add to the score; where there are words, what is required counts twice, once as a condition and once among
/// the words, which is how FTS5 scores `(p1 AND p2) AND (w1 OR w2 OR p1 OR p2)`, phrases before prefixes.
struct WordQuery: Sendable {
  /// A word listed twice counts twice.
  var words: [[UInt8]] = []
  /// Tokens at consecutive positions. An empty phrase asks for nothing and is left out.
  var phrases: [[[UInt8]]] = []
  /// Beginnings of tokens, of `WordKey.longestPrefix` bytes at most; longer ones are refused. All tokens that begin so count
  /// as one. An empty one asks for nothing and is left out.
  var prefixes: [[UInt8]] = []
  /// Weight of a group's best step against its context; each further step weighs half of the one before. 0 or more.
  var stepWeight = 0.25
  /// Steps that count, at most.
  var stepsPerGroup = 4

  /// Whether a document must contain something to match.
  var requires: Bool { prefixes.contains { !$0.isEmpty } || phrases.contains { !$0.isEmpty } }
}
