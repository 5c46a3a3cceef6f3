import Foundation
import TestSupport
import Testing

@testable import EpisodicMemory

@Suite struct `Search terms` {
  @Test func `words are distinct lower-case runs of letters, digits and marks`() throws {
    let terms = try SearchTerms(text: "Fix mia_li_3668's LOGIN-form; login, 東京!", phrases: [], prefixes: [])
    #expect(terms.words == ["fix", "mia", "li", "3668", "login", "form", "東京"])
  }

  @Test func `stop words are dropped unless there are no other words`() throws {
    #expect(try SearchTerms(text: "what is the error", phrases: [], prefixes: []).words == ["error"])
    #expect(try SearchTerms(text: "to be or to be", phrases: [], prefixes: []).words == ["to", "be", "or"])
    #expect(try SearchTerms(text: "not all", phrases: [], prefixes: []).words == ["not", "all"])
  }

  @Test func `of 100,000 words the first and the last 32 different ones are looked up`() throws {
    let text = (0..<100_000).map { "word\($0)" }.joined(separator: " ")
    let ends = Array(0..<32) + Array(99_968..<100_000)
    #expect(try SearchTerms(text: text, phrases: [], prefixes: []).words == ends.map { "word\($0)" })
  }

  @Test(arguments: [
    ("deploy to us-west-2", ["deploy", "us", "west", "2"]), ("the locale it-IT", ["locale", "it"]),
    ("why is is_valid called", ["is", "valid", "called"]), ("look in src/do/it.c", ["look", "src", "do", "it", "c"]),
    ("what's in it - or on it.", ["what", "s", "in", "it", "or", "on"]),
  ]) func `a stop word inside an identifier counts`(_ text: String, _ words: [String]) throws {
    #expect(try SearchTerms(text: text, phrases: [], prefixes: []).words == words)
  }

  @Test(arguments: ["\u{9DF}", "\u{95E}\u{93E}", "\u{FB2A}", "\u{F900}", "e\u{301}", "\u{E9}", "\u{AC00}"])
  func `a word is looked up as typed, composed and decomposed`(_ word: String) throws {
    let typed = try #require(try SearchTerms(text: word, phrases: [], prefixes: []).words.first)
    let spellings = SearchTerms.spellings(of: typed).map { Array($0.utf8) }
    #expect(spellings.contains(Array(word.utf8)))
    #expect(spellings.contains(Array(word.decomposedStringWithCanonicalMapping.utf8)))
    #expect(spellings.contains(Array(word.precomposedStringWithCanonicalMapping.utf8)))
    #expect(Set(spellings).count == spellings.count)
  }

  @Test(arguments: ["", "  ", "\"'()*:^", "—…"]) func `a phrase or a prefix without a word is an error`(_ text: String)
  {
    #expect(throws: MemoryError.self) { try SearchTerms(text: nil, phrases: [text], prefixes: []) }
    #expect(throws: MemoryError.self) { try SearchTerms(text: nil, phrases: [], prefixes: [text]) }
  }

  @Test func `a prefix is one word`() {
    #expect(throws: MemoryError.self) { try SearchTerms(text: nil, phrases: [], prefixes: ["two words"]) }
  }
}

@Suite struct `Ranking` {
  private func candidates(_ words: [Candidates.Words], _ similarities: [Int64: Double] = [:]) -> Candidates {
    let nearest = similarities.sorted { ($1.value, $1.key) < ($0.value, $0.key) }.map(\.key)
    return Candidates(words: words, nearest: nearest, similarities: similarities)
  }

  @Test func `a step counts a quarter of a context, each further step half of the one before`() {
    let ranked = Query.Ranking().rank(
      candidates([
        .init(row: 1, context: 1),
        .init(row: 2, steps: [(1, 4), (2, 2), (3, 2), (4, 2), (5, 100)].sorted { $0.1 > $1.1 }),
      ]), limit: 10, legs: .words)
    #expect(ranked.map(\.row) == [2, 1])
    #expect(ranked[0].shares == Hit.Shares(steps: 0.25 * (100 + 4 / 2 + 2 / 4 + 2 / 8)))
    #expect(ranked[0].steps.count == 4)
    #expect(ranked[1].shares == Hit.Shares(context: 1))
  }

  @Test func `an episode of 1,000 equal steps scores less than twice one with a single such step`() {
    let long = Candidates.Words(row: 1, steps: (1...1000).map { ($0, 3) })
    let short = Candidates.Words(row: 2, steps: [(1, 3)])
    let ranked = Query.Ranking().rank(candidates([long, short]), limit: 2, legs: .words)
    #expect(ranked[0].shares.total < 2 * ranked[1].shares.total)
  }

  @Test func `of equal scores the last recorded comes first`() {
    let ranked = Query.Ranking().rank(
      candidates([3, 1, 2].map { .init(row: $0, context: 1) }, [1: 0.5, 2: 0.5, 3: 0.5]), limit: 3, legs: .both)
    #expect(ranked.map(\.row) == [3, 2, 1])
  }

  @Test func `equal vectors do not change the order`() {
    let words = (1...20).map { Candidates.Words(row: $0, context: Double($0)) }
    let alike = Dictionary(uniqueKeysWithValues: (1...20).map { (Int64($0), 0.7 + Double($0 % 3) * 1e-12) })
    let ranked = Query.Ranking().rank(candidates(words, alike), limit: 20, legs: .both)
    #expect(ranked.map(\.row) == (1...20).reversed().map(Int64.init))
  }

  @Test func `an episode without a vector is scored by its words alone`() {
    let ranked = Query.Ranking().rank(
      candidates([.init(row: 1, context: 2), .init(row: 2, context: 1)], [2: 0.9, 3: 0.8]), limit: 3, legs: .both)
    #expect(ranked.first { $0.row == 1 }?.shares == Hit.Shares(context: 1))
    #expect(ranked.first { $0.row == 2 }?.shares == Hit.Shares(context: 0.4 / 2, vector: 0.6))
  }

  @Test func `with words alone or a vector alone the score is the signal itself`() {
    let all = candidates([.init(row: 1, context: 7.5)], [1: 0.25])
    #expect(Query.Ranking().rank(all, limit: 1, legs: .words).map(\.shares.total) == [7.5])
    #expect(Query.Ranking().rank(all, limit: 1, legs: .vector).map(\.shares.total) == [0.25])
  }

  @Test func `no candidates give no hits`() {
    for legs in [Query.Ranking.Legs.words, .vector, .both] {
      #expect(Query.Ranking().rank(candidates([]), limit: 5, legs: legs).isEmpty)
    }
  }
}

@Suite struct `An embedding space` {
  private let spaces = [EmbeddingSpace(model: "a", dimensions: 3), EmbeddingSpace(model: "b", dimensions: 3)]

  private func code(_ body: () throws(MemoryError) -> Void) -> MemoryError.Code? {
    do { try body() } catch { return error.code }
    return nil
  }

  @Test func `a vector that fits two spaces must name its model`() {
    #expect(
      code { () throws(MemoryError) in _ = try EmbeddingSpace.resolve(nil, dimensions: 3, among: spaces) } == .invalid)
  }

  @Test func `a length that no space has is a mismatch`() {
    #expect(
      code { () throws(MemoryError) in _ = try EmbeddingSpace.resolve(nil, dimensions: 4, among: spaces) }
        == .dimensionMismatch)
  }

  @Test func `an unknown model is an error if the store has others, and finds nothing if it has none`() throws {
    let unknown = EmbeddingSpace(model: "c", dimensions: 3)
    #expect(
      code { () throws(MemoryError) in _ = try EmbeddingSpace.resolve(unknown, dimensions: 3, among: spaces) }
        == .invalid)
    #expect(try EmbeddingSpace.resolve(unknown, dimensions: 3, among: []) == nil)
  }
}
