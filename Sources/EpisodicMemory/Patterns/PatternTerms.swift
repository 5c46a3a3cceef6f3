/// The terms of a search in the words of patterns, which full text has as they are written: each is looked up in every spelling
/// that may be stored.
package struct PatternTerms: Hashable, Sendable {
  /// Words beyond these cost time and hardly change an order.
  private static let maximumCount = 64

  /// Alternatives. Distinct, lower case; without stop words unless there are no others.
  package let words: [String]
  /// Required, as sequences of words.
  package let phrases: [[String]]

  init(text: String) {
    let all = Self.split(text)
    let significant = all.filter { !StopWords.english.contains($0) }
    var seen: Set<String> = []
    let words = (significant.isEmpty ? all : significant).filter { seen.insert($0).inserted }
    let most = Self.maximumCount
    self.words = words.count <= most ? words : Array(words.prefix(most / 2) + words.suffix(most / 2))
    phrases = []
  }

  init(phrases: [String]) {
    words = []
    self.phrases = phrases.map(Self.split).filter { !$0.isEmpty }
  }

  /// Runs of letters, digits and marks, in lower case.
  private static func split(_ text: String) -> [String] {
    text.unicodeScalars.split { !CharacterClasses.isPartOfWord($0) }.map { String($0).lowercased() }
  }

  /// The spellings under which a text may be stored, distinct by their bytes: as it is, composed, decomposed.
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
}
