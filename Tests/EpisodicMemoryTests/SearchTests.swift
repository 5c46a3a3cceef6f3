import Foundation
import TestSupport
import Testing

@testable import EpisodicMemory

@Suite struct `Search terms` {
  @Test func `words are distinct lower-case runs of letters, digits and marks`() throws {
    let terms = try SearchTerms(text: "Fix mia_li_3668's LOGIN-form; login, 東京!", phrases: [], prefixes: [])
    #expect(
      terms.words.dropLast(terms.alternatives) == [
        "fix", "miali3668", "mia", "li", "3668", "loginform", "login", "form", "東京",
      ])
  }

  @Test func `stop words are dropped unless there are no other words`() throws {
    #expect(try SearchTerms.ownWords(of: "what is the error") == ["error"])
    #expect(try SearchTerms.ownWords(of: "to be or to be") == ["to", "be", "or"])
    #expect(try SearchTerms.ownWords(of: "not all") == ["not", "all"])
  }

  @Test func `of 100,000 words the first and the last 2,048 different ones are considered`() throws {
    let text = (0..<100_000).map { "word\($0)" }.joined(separator: " ")
    let ends = Array(0..<2048) + Array(97_952..<100_000)
    #expect(try SearchTerms.ownWords(of: text) == ends.map { "word\($0)" })
  }

  @Test(arguments: [
    ("deploy to us-west-2", ["deploy", "uswest2", "us", "west", "2"]), ("the locale it-IT", ["locale", "itit", "it"]),
    ("why is is_valid called", ["isvalid", "is", "valid", "called"]),
    ("look in src/do/it.c", ["look", "srcdoitc", "itc", "src", "do", "it", "c"]),
    ("getUserById", ["getuserbyid", "get", "user", "by", "id"]),
    ("what's in it - or on it.", ["what", "s", "in", "it", "or", "on"]),
  ]) func `a stop word inside an identifier counts`(_ text: String, _ words: [String]) throws {
    #expect(try SearchTerms.ownWords(of: text) == words)
  }

  @Test(arguments: ["", "  ", "\"'()*:^", "—…"]) func `a phrase or a prefix without a word is an error`(_ text: String)
  {
    #expect(throws: MemoryError.self) { try SearchTerms(text: nil, phrases: [text], prefixes: []) }
    #expect(throws: MemoryError.self) { try SearchTerms(text: nil, phrases: [], prefixes: [text]) }
  }

  @Test func `a word with a sign counts as the word, but a language of one letter is another`() throws {
    #expect(try SearchTerms.ownWords(of: "retries++").contains("retries"))
    #expect(try !SearchTerms.ownWords(of: "C++").contains("c"))
    // A full stop is not of the name.
    let phrase = try SearchTerms(text: nil, phrases: ["parser in C"], prefixes: []).phrases
    #expect(try SearchTerms(text: nil, phrases: ["parser in C."], prefixes: []).phrases == phrase)
    for marked in phrase where marked.count == 1 {
      #expect(AddedWords.of(context: "We wrote the parser in C. It uses F: drives.").contains(marked[0]))
    }
  }

  @Test(arguments: ["\u{200D}", "\u{AD}", "\u{316}\u{301}"]) func `20,000 marks inside a word are one word`(
    _ mark: String
  ) throws {
    let word = "a" + String(repeating: mark, count: 20_000) + "b"
    #expect(try SearchTerms.ownWords(of: word).contains("ab"))
    #expect(AddedWords.of(context: word).contains("ab"))
  }

  @Test func `words that a terminal shows at different places are different words`() {
    #expect(AddedWords.of(context: "Progress\u{1B}8Setting\u{1B}Mfinished").contains("progress setting finished"))
  }

  @Test func `a prefix is one word`() {
    #expect(throws: MemoryError.self) { try SearchTerms(text: nil, phrases: [], prefixes: ["two words"]) }
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
extension SearchTerms {
  /// Without those of labels and those as stored.
  fileprivate static func ownWords(of text: String) throws -> [String] {
    let terms = try SearchTerms(text: text, phrases: [], prefixes: [])
    return Array(terms.words.dropLast(terms.alternatives))
  }
}
