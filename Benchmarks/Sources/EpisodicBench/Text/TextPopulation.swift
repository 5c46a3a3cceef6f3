import Episodic
import Foundation

/// Short documents, each the context of an episode; the same for the same seed.
struct TextPopulation {
  static let vocabulary = 50_000
  static let words = 8...32
  /// Episodes in a row that share a session, those of each domain apart.
  static let perSession = 20

  let count: Int
  let seed: UInt64
  let spoken: SpokenWords
  /// In how many documents each word of the vocabulary occurs.
  let frequencies: [Int]

  init(count: Int, seed: UInt64, progress: Progress) {
    let spoken = SpokenWords(count: Self.vocabulary, seed: seed)
    var frequencies = [Int](repeating: 0, count: Self.vocabulary)
    for number in 0..<count {
      if number.isMultiple(of: 10_000) { progress.show("counting words", number, of: count) }
      for word in Set(Self.places(number, seed: seed, spoken)) { frequencies[word] += 1 }
    }
    self.count = count
    self.seed = seed
    self.spoken = spoken
    self.frequencies = frequencies
  }

  func words(_ number: Int) -> [String] {
    Self.places(number, seed: seed, spoken).map { spoken.words[$0] }
  }

  /// - Parameter domain: `nil` for that of its portion.
  func episode(_ number: Int, domain: String? = nil) -> Episode {
    NumberedEpisode.make(
      number, context: words(number).joined(separator: " "), session: "session \(number / Self.perSession)",
      domain: domain)
  }

  /// Words that occur in about `documents` documents, nearest first, each in at least one.
  func words(inAbout documents: Double, count: Int) -> [String] {
    let nearness = frequencies.indices.filter { frequencies[$0] > 0 }.map {
      (abs(Double(frequencies[$0]) - documents), $0)
    }
    return nearness.sorted { $0 < $1 }.prefix(count).map { spoken.words[$0.1] }
  }

  private static func places(_ number: Int, seed: UInt64, _ spoken: SpokenWords) -> [Int] {
    var generator = SeededGenerator(seed: seed << 40 ^ UInt64(number))
    return (0..<Int.random(in: words, using: &generator)).map { _ in spoken.draw(&generator) }
  }
}

/// Generated pronounceable words, with frequencies by Zipf's law: the one of rank r in proportion to 1/r.
///
/// Porter's stemmer removes none of their endings, so no two share a stem. None is a stop word: those are shorter, end in
/// e, or begin with a vowel.
struct SpokenWords {
  private static let consonants = Array("bdfgklmnprstvz")
  private static let vowels = Array("aeiou")
  private static let lastVowels = Array("aou")
  private static let endings = ["", "k", "m", "p", "b", "v"]

  /// The commonest first.
  let words: [String]
  /// The sum of 1/r over the ranks up to each.
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

  /// - Returns: An index into `words`.
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
