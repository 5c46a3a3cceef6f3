extension SearchTerms {
  /// Words of an excerpt.
  private static let excerptWords = 16

  /// Quotes the first of some texts that has a word of these terms, from seven words before it on, as a terminal shows it.
  ///
  /// For rows that full text finds by the words added to them: it cannot say where those come from. A word is compared as a
  /// whole, without its stem.
  ///
  /// - Returns: `nil` if none has one.
  package func excerpt(of texts: [String]) -> String? {
    let wanted = Set(words.dropLast(alternatives) + phrases.joined())
    for text in texts {
      let scanned = ScannedText(text)
      let matching = matchingWords(of: scanned, wanted)
      guard let first = matching.min() else { continue }
      return Self.quote(scanned, from: max(0, first - 7), marking: matching)
    }
    return nil
  }

  /// Quotes the first words of a text.
  package static func beginning(of text: String) -> String {
    let scanned = ScannedText(text)
    return scanned.units.isEmpty ? String(text.prefix(80)) : quote(scanned, from: 0, marking: [])
  }

  /// Numbers of the words of a text that are wanted, wholly or by a part.
  private func matchingWords(of text: ScannedText, _ wanted: Set<String>) -> Set<Int> {
    var matching: Set<Int> = []
    func isWanted(_ token: [UInt8]) -> Bool {
      let token = String(decoding: token, as: UTF8.self)
      return wanted.contains(token) || prefixes.contains { token.utf8.starts(with: $0.utf8) }
    }
    text.forEachCompound { units in
      text.names(of: units) { name in if isWanted(name) { matching.formUnion(units.map(\.word)) } }
      for unit in units {
        var found = text.marked(unit).map(isWanted) ?? false
        text.forEachToken(of: unit) { token in found = found || isWanted(token) }
        text.forEachPart(of: unit, isQuestion: false) { part in found = found || isWanted(part) }
        if found { matching.insert(unit.word) }
      }
    }
    return matching
  }

  private static func quote(_ text: ScannedText, from first: Int, marking matching: Set<Int>) -> String {
    let words = text.wordRanges
    let shown = words.indices.filter { words[$0].word >= first }.prefix(excerptWords)
    guard let start = shown.first, let end = shown.last else { return "" }
    var quote = start > 0 ? "…" : ""
    var at = start > 0 ? words[start].bytes.lowerBound : 0
    func append(upTo end: Int) {
      quote += String(decoding: text.text[at..<max(at, end)], as: UTF8.self)
      at = max(at, end)
    }
    for index in shown {
      append(upTo: words[index].bytes.lowerBound)
      let isMatching = matching.contains(words[index].word)
      if isMatching { quote += "‹" }
      append(upTo: words[index].bytes.upperBound)
      if isMatching { quote += "›" }
    }
    if end == words.count - 1 { append(upTo: text.text.count) } else { quote += "…" }
    return quote
  }
}

extension ScannedText {
  /// The words in order, with the bytes of `text` that they stand at.
  fileprivate var wordRanges: [(word: Int, bytes: Range<Int>)] {
    let wide = Dictionary(wideWords.map { ($0.word, $0.bytes) }) { first, _ in first }
    var ranges: [(word: Int, bytes: Range<Int>)] = []
    for unit in units where ranges.last?.word != unit.word {
      if let bytes = unit.isOther ? wide[unit.word] : unit.bytes { ranges.append((unit.word, bytes)) }
    }
    return ranges
  }
}
