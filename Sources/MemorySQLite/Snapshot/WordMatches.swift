import EpisodicMemory
import GRDB
import SQLiteStorage
import WordScoring

/// The query of a full-text table for every row that has a word, a phrase or a prefix of a request.
struct WordExpression {
  /// Every word quoted, so that text is never parsed as syntax; joined by OR.
  let text: String
  /// The place of the word, phrase or prefix that each phrase of FTS5 stands for: words, then phrases, then prefixes.
  let places: [Int]
  let words: Int
  /// Phrases and prefixes, which a document must all have.
  let required: Int

  /// - Parameter keyed: Of an encrypted domain, whose rows have digests in place of words; those that are not encrypted yet have
  ///   the words.
  /// - Throws: `.invalid` for phrases and prefixes in such a domain.
  init(_ terms: SearchTerms, _ keyed: KeyedTerms?) throws {
    try keyed?.requireWords(terms)
    var alternatives: [String] = []
    var places: [Int] = []
    var place = 0
    func add(_ term: String, isPrefix: Bool = false) throws {
      alternatives.append(SearchTerms.quoted(term, isPrefix: isPrefix))
      places.append(place)
      for word in try keyed?.words(of: term) ?? [] {
        alternatives.append(SearchTerms.quoted(word))
        places.append(place)
      }
      place += 1
    }
    for word in terms.words { try add(word) }
    for phrase in terms.phrases { try add(phrase.joined(separator: " ")) }
    for prefix in terms.prefixes { try add(prefix, isPrefix: true) }
    text = alternatives.joined(separator: " OR ")
    self.places = places
    words = terms.words.count
    required = terms.phrases.count + terms.prefixes.count
  }
}

/// The documents of one full-text table that have a term of a request, within its corpus.
struct WordMatches {
  struct Document {
    /// Rows of the episode, and of the episode or step that the text is of.
    let episode: Int64
    let row: Int64
    /// Of the episode.
    let createdAt: Timestamp
    /// Tokens.
    let length: UInt32
    /// Whether the episode passes the filter, but for its steps.
    let passes: Bool
    /// In `matches`.
    let range: Range<Int>
    /// bm25, or `nil` if it lacks what is required, or has no word that counts.
    var score: Double?
  }

  private(set) var documents: [Document] = []
  /// How many documents have each term, by place.
  private(set) var having: [Int]
  /// Places of terms and their frequencies, ascending for each document.
  private var matches: [(place: Int, frequency: UInt32)] = []
  private let expression: WordExpression

  /// - Parameter search: `contextSearch` or `stepSearch`.
  init(
    _ expression: WordExpression, _ search: String, _ arguments: StatementArguments, _ db: Database
  ) throws {
    self.expression = expression
    having = [Int](repeating: 0, count: expression.words + expression.required)
    var rows = try RawStatement(search, arguments, db)
    while try rows.step() {
      let first = matches.count
      let length = add(rows.bytes(2))
      documents.append(
        Document(
          episode: rows.integer(0), row: rows.integer(1), createdAt: Timestamp(milliseconds: rows.integer(4)),
          length: length, passes: rows.integer(3) != 0, range: first..<matches.count))
    }
  }

  /// - Parameter bytes: See `episodic_word_matches_register`.
  /// - Returns: The length of the document.
  private mutating func add(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    func number(_ index: Int) -> UInt32 { bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self) }
    guard bytes.count >= 8 else { return 0 }
    let first = matches.count
    for index in 1..<bytes.count / 8 {
      let (phrase, frequency) = (Int(number(2 * index)), number(2 * index + 1))
      guard phrase < expression.places.count else { continue }
      let place = expression.places[phrase]
      if matches.count > first, let last = matches.last, last.place == place {
        // Spellings that FTS5 folds to one word must not count twice.
        matches[matches.count - 1].frequency = max(last.frequency, frequency)
      } else {
        matches.append((place, frequency))
        having[place] += 1
      }
    }
    return number(0)
  }

  /// Computes the score of each document.
  ///
  /// - Parameter scorers: By place; `nil` for a word that does not count.
  mutating func score(_ scorers: [TermScorer?]) {
    for index in documents.indices {
      let document = documents[index]
      var (sum, counting, met) = (0.0, 0, 0)
      for match in matches[document.range] {
        guard let scorer = scorers[match.place] else { continue }
        sum += scorer.score(match.frequency, document.length)
        counting += 1
        if match.place >= expression.words { met += 1 }
      }
      documents[index].score = met == expression.required && counting > 0 ? sum : nil
    }
  }

  /// Adds the occurrences of terms in a document.
  ///
  /// - Parameter places: Of the terms, ascending.
  /// - Parameter counts: In the order of `places`; empty before the first.
  func count(_ document: Document, at places: [Int], in counts: inout [UInt32]) {
    if counts.isEmpty { counts = [UInt32](repeating: 0, count: places.count) }
    var index = 0
    for match in matches[document.range] {
      while index < places.count, places[index] < match.place { index += 1 }
      if index < places.count, places[index] == match.place { counts[index] &+= match.frequency }
    }
  }

  // MARK: SQL. CROSS JOIN keeps the full-text index the outer loop.

  /// Arguments: those of `filter`, the expression, those of `corpus`.
  static func contextSearch(_ corpus: Conditions, _ filter: Conditions) -> String {
    """
    SELECT e.seq, e.seq, episodic_word_matches(episodes_text, \(CorpusTotals.contextColumns)), \(filter.expression), e.created_at
    FROM episodes_text CROSS JOIN episodes e ON e.seq = episodes_text.rowid
    WHERE episodes_text MATCH ?\(corpus.andClause)
    """
  }

  static func stepSearch(_ corpus: Conditions, _ filter: Conditions) -> String {
    """
    SELECT e.seq, s.seq, episodic_word_matches(steps_text, \(CorpusTotals.stepColumns)), \(filter.expression), e.created_at
    FROM steps_text CROSS JOIN steps s ON s.seq = steps_text.rowid CROSS JOIN episodes e ON e.id = s.episode_id
    WHERE steps_text MATCH ?\(corpus.andClause)
    """
  }
}

extension Conditions {
  /// The corpus of a request; see `WordStatistics`.
  init(corpusOf request: RecallRequest) {
    self.init(Episode.Filter(), request.scope)
    if !request.corpusIncludesActive { add(Self.isInactive) }
  }

  static let isInactive = "e.status <> 'active'"

  /// All conditions as one value.
  var expression: String { clauses.isEmpty ? "1" : "(" + clauses.joined(separator: " AND ") + ")" }
}
