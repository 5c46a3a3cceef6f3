/// A word of a question that no text has, though texts have longer words that begin with it: a part of a compound.
package struct UnknownWord: Hashable, Sendable {
  /// In lower case.
  package let word: String
  /// Episodes that have a word that begins with it; `countedEpisodes` stands for more.
  package let episodes: Int

  package static let countedEpisodes = 1000
}

extension Memory {
  /// Shorter words begin too many others.
  private static let leastLetters = 5
  /// Words of a question that are looked up, so that a pasted log costs no more than a sentence.
  private static let mostWords = 8

  /// The words of five letters and more of a query that find nothing within its scope and filter, but would by their beginning.
  ///
  /// - Complexity: A search for each of the first eight such words, and one by its beginning for each that finds nothing.
  package func unknownWords(of query: Query) async throws(MemoryError) -> [UnknownWord] {
    guard let text = query.text else { return [] }
    let spelled = Set(text.lowercased().split { !$0.isLetter }.map(String.init))
    let words = try SearchTerms(text: text, phrases: [], prefixes: []).words.filter { word in
      word.count >= Self.leastLetters && word.allSatisfy(\.isLetter) && spelled.contains(word)
    }
    var unknown: [UnknownWord] = []
    for word in words.prefix(Self.mostWords) {
      var search = Query(text: word, scope: query.scope, filter: query.filter, limit: 1)
      guard try await self.search(search).isEmpty else { continue }
      (search.text, search.prefixes, search.limit) = (nil, [word], min(UnknownWord.countedEpisodes, limits.results))
      let found = try await self.search(search).count
      if found > 0 { unknown.append(UnknownWord(word: word, episodes: found)) }
    }
    return unknown
  }
}
