/// The terms of a query as they are looked up: each is one token of the full-text index.
///
/// Texts are cut as `AddedWords` cuts those of rows, so that a word is found however it is spelled.
package struct SearchTerms: Hashable, Sendable {
  /// Words that are looked up: the rarest of `words`; more cost time and hardly change a ranking.
  package static let maximumCount = 64
  /// Words of a question that are considered.
  package static let maximumCandidates = 4096
  /// Tokens of a phrase; a run without spaces has one for each two characters.
  private static let maximumPhraseTokens = 512

  /// Alternatives. Distinct, folded, in order of first occurrence; the names of several words (`uswest2` of us-west-2) before
  /// their parts; without stop words unless there are no others or they are parts of a name. Of more than
  /// `maximumCandidates`, the first and last halves. Then come `alternatives`.
  package let words: [String]
  /// How many of the last `words` are other forms of those before: as stored in a row that is not analysed, then of labels.
  package let alternatives: Int
  /// Required, as sequences of words.
  package let phrases: [[String]]
  /// Required, each as the beginning of a word.
  package let prefixes: [String]

  /// Terms as they are looked up.
  init(words: [String], phrases: [[String]], prefixes: [String]) {
    (self.words, self.phrases, self.prefixes, alternatives) = (words, phrases, prefixes, 0)
  }

  /// - Throws: `.invalid` if a phrase or a prefix has no word.
  init(text: String?, phrases: [String], prefixes: [String]) throws(MemoryError) {
    (words, alternatives) = Self.candidates(of: text ?? "")
    var sequences: [[String]] = []
    for phrase in phrases {
      let scanned = ScannedText(phrase)
      guard !scanned.units.isEmpty else {
        throw MemoryError(.invalid, "the phrase \"\(phrase)\" has no word; leave it out")
      }
      let required = Self.sequences(ofPhrase: scanned)
      guard scanned.units.count <= Self.maximumCount, required.allSatisfy({ $0.count <= Self.maximumPhraseTokens })
      else {
        throw MemoryError(
          .invalid, "a phrase has \(scanned.units.count) words; use at most \(Self.maximumCount)")
      }
      sequences += required
    }
    var beginnings: [String] = []
    for prefix in prefixes {
      let scanned = ScannedText(prefix)
      guard scanned.isOneWord else {
        throw MemoryError(.invalid, "the prefix \"\(prefix)\" is not the beginning of one word; use a phrase")
      }
      Self.add(prefix: scanned, &sequences, &beginnings)
    }
    guard phrases.count + prefixes.count <= Self.maximumCount else {
      throw MemoryError(
        .limitExceeded, "\(phrases.count + prefixes.count) phrases and prefixes; use at most \(Self.maximumCount)")
    }
    self.phrases = sequences
    self.prefixes = beginnings
  }

  /// Terms that are all required: every word of a text, stop words too, and a sequence of words.
  ///
  /// - Throws: `.invalid` if either has no word, or both more than `maximumCount`: leaving some out would let more pass.
  init(requiring text: String?, phrase: String?) throws(MemoryError) {
    var sequences: [[String]] = []
    var count = 0
    if let text {
      let scanned = ScannedText(text)
      var seen: Set<[String]> = []
      sequences = Self.sequences(ofWords: scanned).filter { seen.insert($0).inserted }
      count = sequences.count
      guard count > 0 else {
        throw MemoryError(.invalid, "the text \"\(text.prefix(40))\" of the step filter has no word; leave it out")
      }
    }
    if let phrase {
      let scanned = ScannedText(phrase)
      count += scanned.units.count
      guard !scanned.units.isEmpty else {
        throw MemoryError(.invalid, "the phrase \"\(phrase.prefix(40))\" of the step filter has no word; leave it out")
      }
      sequences += Self.sequences(ofPhrase: scanned)
    }
    guard count <= Self.maximumCount, sequences.allSatisfy({ $0.count <= Self.maximumPhraseTokens }) else {
      throw MemoryError(.invalid, "the step filter has \(count) words; use at most \(Self.maximumCount)")
    }
    (words, prefixes, alternatives) = ([], [], 0)
    phrases = sequences
  }

  /// How many words nothing has, in no form.
  ///
  /// - Parameter having: How many documents have each of `words`.
  package func unknown(having: [Int]) -> Int {
    let count = words.count - alternatives
    return (0..<count).count { having[$0] == 0 && having[words.count - count + $0] == 0 }
  }

  package var isEmpty: Bool { words.isEmpty && phrases.isEmpty && prefixes.isEmpty }

  // MARK: Words

  /// A word of `words` as people would write it, and whether it is one of labels.
  package static func readable(_ word: String) -> (word: String, isLabel: Bool) { ScannedText.readable(word) }

  private static func candidates(of text: String) -> (words: [String], alternatives: Int) {
    let scanned = ScannedText(text)
    var significant = OrderedWords()
    var all = OrderedWords()
    scanned.forEachCompound { units in
      scanned.names(of: units) { significant.insert($0) }
      for unit in units {
        if let marked = scanned.marked(unit) { significant.insert(marked) }
        // C++ is another language than C.
        guard unit.signCount == 0 || unit.bytes.count > 2 else { continue }
        scanned.forEachToken(of: unit) { token in
          if units.count == 1, unit.kind == .ascii, StopWords.english.contains(String(decoding: token, as: UTF8.self)) {
            all.insert(token)
          } else {
            significant.insert(token)
          }
        }
        scanned.forEachPart(of: unit, isQuestion: true) { significant.insert($0) }
      }
    }
    let significantCount = significant.words.count
    var words = significant.isEmpty ? all.words : significant.words
    if words.count > maximumCandidates {
      words = Array(words.prefix(maximumCandidates / 2) + words.suffix(maximumCandidates / 2))
    }
    let labels = words.map { String(decoding: ScannedText.label(Array($0.utf8)), as: UTF8.self) }
    for word in scanned.storedForms.prefix(maximumCandidates) { significant.insert(Array(word.utf8)) }
    let stored = significant.isEmpty ? [] : significant.words.dropFirst(significantCount)
    return (words + stored + labels, stored.count + labels.count)
  }

  private struct OrderedWords {
    private(set) var words: [String] = []
    private var seen: Set<[UInt8]> = []
    var isEmpty: Bool { words.isEmpty }

    mutating func insert(_ word: [UInt8]) {
      if seen.insert(word).inserted { words.append(String(decoding: word, as: UTF8.self)) }
    }
  }

  // MARK: Sequences

  /// The tokens of a phrase, and the names with signs in it, which a text has beside the sequence of its words.
  private static func sequences(ofPhrase scanned: ScannedText) -> [[String]] {
    let marked = scanned.units.compactMap { scanned.marked($0) }.map {
      [String(decoding: $0, as: UTF8.self)]
    }
    if scanned.units.count == 1, !marked.isEmpty { return marked }
    return [tokens(of: scanned.units[...], scanned)] + marked
  }

  /// A sequence for each word.
  private static func sequences(ofWords scanned: ScannedText) -> [[String]] {
    var sequences: [[String]] = []
    var start = 0
    while start < scanned.units.count {
      var end = start + 1
      while end < scanned.units.count, scanned.units[end].word == scanned.units[start].word { end += 1 }
      let units = scanned.units[start..<end]
      let marked = units.compactMap { scanned.marked($0) }.map {
        [String(decoding: $0, as: UTF8.self)]
      }
      if units.count > 1 || marked.isEmpty { sequences.append(tokens(of: units, scanned)) }
      sequences += marked
      start = end
    }
    return sequences
  }

  private static func tokens(of units: ArraySlice<ScannedText.Unit>, _ scanned: ScannedText) -> [String] {
    var tokens: [String] = []
    for unit in units { scanned.forEachToken(of: unit) { tokens.append(String(decoding: $0, as: UTF8.self)) } }
    return tokens
  }

  /// Adds what the beginning of a word requires: the bigrams of a run, which can stand anywhere in one; the beginning of the
  /// one word that a name makes.
  private static func add(prefix scanned: ScannedText, _ sequences: inout [[String]], _ beginnings: inout [String]) {
    guard scanned.units.contains(where: { $0.kind == .run }) else {
      let name = scanned.units.reduce(into: [UInt8]()) { name, unit in
        name += unit.signCount == 0 && !unit.hasPeriod ? scanned.token(of: unit) : scanned.marked(unit) ?? []
      }
      beginnings.append(String(decoding: name, as: UTF8.self))
      return
    }
    for (index, unit) in scanned.units.enumerated() {
      let tokens = tokens(of: [unit], scanned)
      if index == scanned.units.count - 1, tokens.count == 1, unit.kind != .run || unit.isOneScalar(in: scanned) {
        beginnings += tokens
      } else {
        sequences.append(tokens)
      }
    }
  }
}

extension ScannedText {
  /// Whether it is one word, or one name whose words are joined.
  fileprivate var isOneWord: Bool {
    !units.isEmpty && zip(units, units.dropFirst()).allSatisfy { $0.word == $1.word || $0.join != .none }
  }

  /// The words that SQLite's tokenizer does not find under their folded form, as it finds them in a row that is not
  /// analysed, if they are one token there.
  fileprivate var storedForms: [String] {
    wideWords.compactMap { word in
      if word.isFoldedAlike { return nil }
      let form = String(decoding: text[word.bytes], as: UTF8.self).lowercased()
      return form.unicodeScalars.allSatisfy { $0.isASCII || FoldedWord.isOneTokenWhenStored($0) } ? form : nil
    }
  }
}

extension ScannedText.Unit {
  fileprivate func isOneScalar(in scanned: ScannedText) -> Bool {
    String(decoding: scanned.bytes(of: self), as: UTF8.self).unicodeScalars.count == 1
  }
}

extension Step.Filter {
  /// What text and phrase require; `nil` if there is neither.
  ///
  /// - Throws: `.invalid` for one without a word, or with more than 64.
  package func terms() throws(MemoryError) -> SearchTerms? {
    guard text != nil || phrase != nil else { return nil }
    return try SearchTerms(requiring: text, phrase: phrase)
  }
}
