import Foundation

/// Made-up words that can be spoken, as common as words are: the one of rank r in proportion to 1/r.
///
/// They end so that Porter's stemmer takes nothing away, so no two have a stem in common, and none is a stop word: those
/// are shorter, end in e, or begin with a vowel.
struct SpokenWords {
  private static let consonants = Array("bdfgklmnprstvz")
  private static let vowels = Array("aeiou")
  private static let lastVowels = Array("aou")
  private static let endings = ["", "k", "m", "p", "b", "v"]

  /// The commonest first.
  let words: [String]
  /// Of the ranks up to each, the sum of 1/r.
  private let sums: [Double]

  init(count: Int, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var seen: Set<String> = []
    var words: [String] = []
    while words.count < count {
      let word = Self.word(&generator)
      if seen.insert(word).inserted { words.append(word) }
    }
    self.words = words
    var sum = 0.0
    sums = (1...count).map { rank in
      sum += 1 / Double(rank)
      return sum
    }
  }

  /// - Returns: The place of a word among `words`.
  func draw(_ generator: inout SeededGenerator) -> Int {
    let drawn = Double.random(in: 0..<(sums.last ?? 1), using: &generator)
    var (low, high) = (0, sums.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > drawn { high = middle } else { low = middle + 1 }
    }
    return low
  }

  private static func word(_ generator: inout SeededGenerator) -> String {
    func pick<Part>(_ parts: [Part]) -> Part { parts[Int.random(in: parts.indices, using: &generator)] }
    var word = ""
    for _ in 0..<Int.random(in: 1...2, using: &generator) {
      word.append(pick(consonants))
      word.append(pick(vowels))
    }
    word.append(pick(consonants))
    word.append(pick(lastVowels))
    return word + pick(endings)
  }
}
