import Episodic

/// Short documents, each the context of an episode; the same for the same seed.
struct TextPopulation {
  static let vocabulary = 50_000
  static let words = 8...32

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

  func episode(_ number: Int) -> Episode {
    NumberedEpisode.make(number, context: words(number).joined(separator: " "))
  }

  /// Words that occur in about so many documents, nearest first, each in one at least.
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
