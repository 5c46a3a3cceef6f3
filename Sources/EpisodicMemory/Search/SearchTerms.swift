/// The terms of a query as they are looked up.
package struct SearchTerms: Hashable, Sendable {
  /// Terms beyond these cost time and hardly change a ranking.
  package static let maximumCount = 64

  /// Alternatives. Distinct, lower case, spelled as in the query; without stop words unless there are no others. Of more than
  /// `maximumCount`, the first and last 32: a pasted log begins with the command and ends with the error.
  package let words: [String]
  /// Required, as sequences of words.
  package let phrases: [[String]]
  /// Required, each as the beginning of a word.
  package let prefixes: [String]

  /// - Throws: `.invalid` if a phrase or a prefix has no word.
  init(text: String?, phrases: [String], prefixes: [String]) throws(MemoryError) {
    words = Self.distinctWords(of: text ?? "")
    var sequences: [[String]] = []
    for phrase in phrases {
      let sequence = Self.split(phrase)
      guard !sequence.isEmpty else { throw MemoryError(.invalid, "the phrase \"\(phrase)\" has no word; leave it out") }
      guard sequence.count <= Self.maximumCount else {
        throw MemoryError(.invalid, "a phrase has \(sequence.count) words; use at most \(Self.maximumCount)")
      }
      sequences.append(sequence)
    }
    var beginnings: [String] = []
    for prefix in prefixes {
      let parts = Self.split(prefix)
      guard parts.count == 1 else {
        throw MemoryError(.invalid, "the prefix \"\(prefix)\" is not the beginning of one word; use a phrase")
      }
      beginnings += parts
    }
    self.phrases = sequences
    self.prefixes = beginnings
    guard sequences.count + beginnings.count <= Self.maximumCount else {
      throw MemoryError(
        .limitExceeded, "\(sequences.count + beginnings.count) phrases and prefixes; use at most \(Self.maximumCount)")
    }
  }

  /// Terms that are all required: every word of a text, stop words too, and a sequence of words.
  ///
  /// - Throws: `.invalid` if either has no word, or both more than `maximumCount`: leaving some out would let more pass.
  init(requiring text: String?, phrase: String?) throws(MemoryError) {
    var sequences: [[String]] = []
    if let text {
      var seen: Set<String> = []
      sequences = Self.split(text).filter { seen.insert($0).inserted }.map { [$0] }
      guard !sequences.isEmpty else {
        throw MemoryError(.invalid, "the text \"\(text.prefix(40))\" of the step filter has no word; leave it out")
      }
    }
    let sequence = phrase.map(Self.split) ?? []
    if let phrase, sequence.isEmpty {
      throw MemoryError(.invalid, "the phrase \"\(phrase.prefix(40))\" of the step filter has no word; leave it out")
    }
    guard sequences.count + sequence.count <= Self.maximumCount else {
      throw MemoryError(
        .invalid, "the step filter has \(sequences.count + sequence.count) words; use at most \(Self.maximumCount)")
    }
    (words, prefixes) = ([], [])
    phrases = sequences + (sequence.isEmpty ? [] : [sequence])
  }

  /// The spellings under which a text may be in the index, distinct by their bytes: as it is, composed, decomposed.
  ///
  /// The first is needed too: some letters (Bengali য়, Hebrew שׁ, compatibility ideographs) are equal to neither their composed
  /// nor their decomposed form.
  package static func spellings(of text: String) -> [String] {
    var spellings = [text]
    for form in [text.canonicallyComposed, text.canonicallyDecomposed]
    where !spellings.contains(where: { $0.utf8.elementsEqual(form.utf8) }) {
      spellings.append(form)
    }
    return spellings
  }

  package var isEmpty: Bool { words.isEmpty && phrases.isEmpty && prefixes.isEmpty }

  private static func distinctWords(of text: String) -> [String] {
    let split = splitMarkingStopWords(text)
    let significant = split.filter { !$0.isStopWord }
    var seen: Set<String> = []
    let words = (significant.isEmpty ? split : significant).map(\.word).filter { seen.insert($0).inserted }
    guard words.count > maximumCount else { return words }
    return Array(words.prefix(maximumCount / 2) + words.suffix(maximumCount / 2))
  }

  /// The words of a text as the full-text index separates them: runs of letters, digits and marks, in lower case.
  private static func split(_ text: String) -> [String] {
    text.unicodeScalars.split { !isPartOfWord($0) }.map { String($0).lowercased() }
  }

  /// The words of a text; a stop word inside an identifier (`us-west-2`, `it-IT`, `is_valid`) does not count as one.
  private static func splitMarkingStopWords(_ text: String) -> [(word: String, isStopWord: Bool)] {
    let scalars = text.unicodeScalars
    var words: [(word: String, isStopWord: Bool)] = []
    var start = scalars.startIndex
    while let first = scalars[start...].firstIndex(where: isPartOfWord) {
      let end = scalars[first...].firstIndex { !isPartOfWord($0) } ?? scalars.endIndex
      let word = String(scalars[first..<end]).lowercased()
      let isStopWord =
        StopWords.english.contains(word) && !isJoined(scalars[..<first].suffix(2).reversed())
        && !isJoined(scalars[end...].prefix(2))
      words.append((word, isStopWord))
      start = end
    }
    return words
  }

  /// Whether the characters beside a word, nearest first, join it to another word.
  private static func isJoined(_ neighbors: some Collection<Unicode.Scalar>) -> Bool {
    guard let connector = neighbors.first, "-_./:@#+\\~".unicodeScalars.contains(connector) else { return false }
    return neighbors.dropFirst().first.map(isPartOfWord) ?? false
  }

  private static func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      return switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9": true
      default: false
      }
    }
    return switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
      .letterNumber, .otherNumber, .nonspacingMark, .spacingMark, .enclosingMark, .privateUse:
      true
    default: false
    }
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

/// English words that do not tell tasks apart.
///
/// Negation, quantity, comparison, order and direction are not among them ("not", "more", "all", "before", "without").
/// The single letters are the rest of a word after an apostrophe.
private enum StopWords {
  static let english = Set(
    """
    a about am an and are as at be been being but by can could d did do does for from had has have he her here him his \
    how i if in into is it its ll m may me might must my of on onto or our re s shall she should so t that the their \
    them there these they this those to us ve was we were what when where which who whom whose why will with would you \
    your
    """.split(separator: " ").map(String.init))
}
