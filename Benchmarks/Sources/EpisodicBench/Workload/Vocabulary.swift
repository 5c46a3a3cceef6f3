import Foundation

/// Words that occur as often as words do: the one of rank r in proportion to 1/r.
struct Vocabulary {
  private let words: [String]

  init(count: Int, _ generator: inout SeededGenerator) {
    let onsets = ["b", "br", "c", "d", "f", "g", "gr", "k", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "tr", "v"]
    let vowels = ["a", "e", "i", "o", "u", "ai", "ou"]
    let codas = ["", "", "n", "r", "s", "l", "t", "ck"]
    var seen: Set<String> = []
    var words: [String] = []
    while words.count < count {
      var word = ""
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        for part in [onsets, vowels, codas] { word += part[Int.random(in: part.indices, using: &generator)] }
      }
      if seen.insert(word).inserted { words.append(word) }
    }
    self.words = words
  }

  /// - Parameter rank: How many of the commonest words are left out.
  func word(rarerThan rank: Int = 0, _ generator: inout SeededGenerator) -> String {
    let least = log(Double(rank + 1)) / log(Double(words.count))
    let drawn = pow(Double(words.count), Double.random(in: least..<1, using: &generator))
    return words[min(max(Int(drawn), rank + 1), words.count) - 1]
  }

  /// Words up to about as many bytes.
  func text(bytes: Int, _ generator: inout SeededGenerator) -> String {
    var text = word(&generator)
    while text.utf8.count < bytes {
      text += " "
      text += word(&generator)
    }
    return text
  }
}
