import Episodic
import Foundation
import TestSupport
import Testing

/// Words of random texts are found however they are spelled, by the index and by full text, and alike.
@Suite struct `A word that is stored` {
  struct Script: Sendable, CustomTestStringConvertible {
    let name: String
    let letters: [ClosedRange<UInt32>]
    /// Vowel signs and the like, of which one may follow each letter.
    var marks: [ClosedRange<UInt32>] = []
    var hasCase = false
    /// Whether a word stands inside a run without spaces.
    var isUnspaced = false
    var testDescription: String { name }
  }

  static let scripts = [
    Script(
      name: "Latin",
      letters: [0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x13E, 0x141...0x148, 0x14A...0x17E, 0x1E00...0x1E95],
      marks: [0x300...0x304, 0x306...0x30C, 0x323...0x328], hasCase: true),
    Script(
      name: "ligatures and full width", letters: [0xFB00...0xFB06, 0xFF21...0xFF3A, 0xFF41...0xFF5A], hasCase: true),
    Script(name: "Greek", letters: [0x391...0x3A1, 0x3A3...0x3CE], hasCase: true),
    Script(name: "Cyrillic", letters: [0x400...0x481, 0x48A...0x52F], hasCase: true),
    Script(name: "Armenian", letters: [0x531...0x556, 0x561...0x587], hasCase: true),
    Script(name: "Georgian", letters: [0x10D0...0x10FA, 0x1C90...0x1CBA], hasCase: true),
    Script(name: "Cherokee", letters: [0x13A0...0x13F5, 0xAB70...0xABBF], hasCase: true),
    Script(name: "Adlam", letters: [0x1E900...0x1E943], marks: [0x1E944...0x1E94A], hasCase: true),
    Script(name: "Deseret", letters: [0x10400...0x1044F], hasCase: true),
    Script(name: "Hebrew", letters: [0x5D0...0x5EA, 0xFB2A...0xFB36], marks: [0x5B0...0x5BC, 0x5C1...0x5C2]),
    Script(name: "Arabic", letters: [0x621...0x63A, 0x641...0x64A, 0xFE8D...0xFEF4], marks: [0x64B...0x652]),
    Script(name: "Devanagari", letters: [0x905...0x939, 0x958...0x95F], marks: [0x93C...0x93C, 0x93E...0x94D]),
    Script(
      name: "Bengali", letters: [0x995...0x9A8, 0x9DC...0x9DD, 0x9DF...0x9DF], marks: [0x9BE...0x9C4, 0x9CD...0x9CD]),
    Script(name: "Gurmukhi", letters: [0xA15...0xA28, 0xA59...0xA5B], marks: [0xA3C...0xA3C, 0xA3E...0xA42]),
    Script(name: "Oriya", letters: [0xB15...0xB28, 0xB5C...0xB5D], marks: [0xB3E...0xB43, 0xB4D...0xB4D]),
    Script(
      name: "Tamil", letters: [0xB95...0xB95, 0xBAE...0xBB9], marks: [0xBBE...0xBC2, 0xBC6...0xBC8, 0xBCA...0xBCC]),
    Script(name: "Tibetan", letters: [0xF40...0xF47, 0xF49...0xF6C], marks: [0xF71...0xF72, 0xF74...0xF74]),
    Script(name: "Sinhala", letters: [0xD9A...0xDB1], marks: [0xDCF...0xDD4, 0xDDA...0xDDE]),
    Script(name: "Chinese", letters: [0x4E00...0x9FA5, 0xF900...0xFA0D, 0x20000...0x20100], isUnspaced: true),
    Script(
      name: "Japanese", letters: [0x3041...0x3096, 0x30A1...0x30FA, 0xFF71...0xFF9D, 0x4E00...0x4FFF], isUnspaced: true),
    Script(name: "Korean", letters: [0xAC00...0xD7A3], isUnspaced: true),
    Script(
      name: "Thai", letters: [0xE01...0xE2E], marks: [0xE31...0xE31, 0xE34...0xE3A, 0xE47...0xE4E], isUnspaced: true),
    Script(
      name: "Lao", letters: [0xE81...0xE82, 0xE94...0xE97], marks: [0xEB4...0xEB9, 0xEC8...0xECB], isUnspaced: true),
    Script(name: "Khmer", letters: [0x1780...0x17A2], marks: [0x17B6...0x17C5, 0x17C9...0x17D1], isUnspaced: true),
    Script(
      name: "Burmese", letters: [0x1000...0x1020, 0x1025...0x1026], marks: [0x102B...0x1032, 0x1036...0x103A],
      isUnspaced: true),
  ]

  @Test(arguments: scripts) func `is found in every spelling, alone, as a phrase and by its beginning`(
    _ script: Script
  ) async throws {
    var random = SeededGenerator(seed: UInt64(script.letters[0].lowerBound))
    let words = (0..<24).map { _ in script.word(Int.random(in: 3...6, using: &random), &random) }
    let texts = words.map { word in
      script.isUnspaced
        ? script.word(2, &random) + word + script.word(2, &random) + " fin" : "begin \(word) fin"
    }
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert(
        texts.enumerated().map { index, text in
          .sample(Episode.ID("e\(index)"), context: script.spellings(of: text).randomElement(using: &random) ?? text)
        })
      for (index, word) in words.enumerated() {
        for spelling in script.spellings(of: word) {
          let queries = [
            Query(text: spelling, scope: .everything, limit: 100),
            Query(phrases: [spelling], scope: .everything, limit: 100),
            Query(prefixes: [String(spelling.prefix(3))], scope: .everything, limit: 100),
          ]
          for query in queries {
            var exact = query
            exact.isExact = true
            let (found, counted) = (try await memory.recall(query), try await memory.recall(exact))
            #expect(
              found.contains { $0.episode.id == Episode.ID("e\(index)") },
              "\(Array(texts[index].unicodeScalars)) by \(Array(spelling.unicodeScalars))")
            #expect(found.map(\.episode.id) == counted.map(\.episode.id))
            #expect(found.map(\.score) == counted.map(\.score))
          }
        }
      }
      #expect(try await memory.check().allSatisfy { $0.outcome == .passed })
    }
  }

  static let identifiers: [(stored: String, whole: String, parts: [String])] = [
    ("getUserById", "getUserById", ["user by id", "getUser", "USER"]),
    ("HTTPServer2", "httpserver2", ["http", "Server", "http server 2"]), ("error E1045 (28000)", "E1045", ["1045"]),
    ("us-west-2", "us-west-2", ["west", "us west"]), ("libfoo.so.6", "libfoo.so.6", ["libfoo"]),
    ("get_user_by_id", "getUserById", ["user", "user_by_id"]), ("Build the C++ parser", "C++", ["parser"]),
    ("C# and .NET", ".NET", ["C#", "net"]),
    ("see src/auth/LoginForm.swift", "src/auth/LoginForm.swift", ["LoginForm", "form", "auth"]),
    ("https://example.com/a/b?x=1", "https://example.com/a/b", ["example.com"]),
    ("upgrade to v1.22.3", "v1.22.3", ["22"]),
    (
      "\u{1B}[31mFAILED\u{1B}[0m test_login \u{1B}]8;;http://x\u{1B}\\link\u{1B}]8;;\u{7}", "FAILED",
      ["test_login", "link"]
    ),
    ("10%\r20%\r\u{1B}[Kzucchini", "zucchini", []), ("N\u{8}NA\u{8}AM\u{8}ME\u{8}E", "name", []),
    ("修复getUserById函数，报错E1045", "getUserById", ["E1045", "函数", "user"]),
  ]

  @Test(arguments: identifiers.indices) func `as an identifier is found whole, first, and by its parts`(
    _ index: Int
  ) async throws {
    let (stored, whole, parts) = Self.identifiers[index]
    let store = try Store()
    try await store.withMemory { memory in
      // Every other text has one of the parts.
      let others = parts.enumerated().map { Episode.sample(Episode.ID("part\($0)"), context: "about \($1) here") }
      try await memory.insert(others + [.sample("it", context: "other", steps: [stored])])
      try await memory.insert([.sample("context", context: stored)])
      for isExact in [false, true] {
        var query = Query(text: whole, scope: .everything, limit: 10)
        query.isExact = isExact
        #expect(try await memory.recall(query).first?.episode.id == "context", "\(whole)")
        #expect(try await memory.recall(query).contains { $0.episode.id == "it" })
        query.text = nil
        query.phrases = [whole]
        #expect(
          Set(try await memory.recall(query).map(\.episode.id)).isSuperset(of: ["context", "it"])
            || stored.contains("get_"))
        for part in parts {
          query.phrases = []
          query.text = part
          #expect(try await memory.recall(query).contains { $0.episode.id == "context" }, "\(part)")
        }
      }
    }
  }

  @Test func `tells C, C++ and C# apart`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      let names = ["C", "C++", "C#", "F#", "c++17"]
      try await memory.insert(names.map { .sample(Episode.ID($0), context: "Build the \($0) parser") })
      for isExact in [false, true] {
        for name in names.prefix(4) {
          let query = Query(text: name, scope: .everything, limit: 10, isExact: isExact)
          #expect(try await memory.recall(query).first?.episode.id == Episode.ID(name), "\(name)")
          let phrase = Query(phrases: ["the \(name) parser"], scope: .everything, limit: 10, isExact: isExact)
          #expect(try await memory.recall(phrase).map(\.episode.id) == [Episode.ID(name)], "\(name)")
        }
      }
    }
  }

  @Test func `in a label is found, in its domain only`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      var labelled = Episode.sample("it", domain: "own", context: "nothing")
      labelled.session = "Release-2024 login"
      labelled.metadata = ["tags": ["flakyTest", ["deep": "naïveté"]], "count": 3]
      try await memory.insert([labelled, .sample("other", domain: "other", context: "something")])
      for isExact in [false, true] {
        for text in ["release-2024", "login", "flaky", "flakytest", "naivete", "testing"] {
          let query = Query(text: text, scope: .domain("own"), limit: 10, isExact: isExact)
          #expect(try await memory.recall(query).map(\.episode.id) == ["it"], "\(text)")
          let elsewhere = Query(text: text, scope: .domain("other"), limit: 10, isExact: isExact)
          #expect(try await !memory.recall(elsewhere).contains { $0.episode.id == "it" })
        }
        // Names of members are not labels.
        let query = Query(text: "tags deep count", scope: .everything, limit: 10, isExact: isExact)
        #expect(try await memory.recall(query).isEmpty)
      }
      _ = try await memory.update("it", with: .init(metadata: ["tag": "renamed"]))
      for (text, isFound) in [("flaky", false), ("renamed", true), ("login", true)] {
        let query = Query(text: text, scope: .domain("own"), limit: 10)
        #expect(try await memory.recall(query).isEmpty != isFound, "\(text)")
      }
    }
  }
}

extension `A word that is stored`.Script {
  func word(_ count: Int, _ random: inout SeededGenerator) -> String {
    var word = String.UnicodeScalarView()
    func draw(_ ranges: [ClosedRange<UInt32>]) -> Unicode.Scalar? {
      for _ in 0..<100 {
        guard let range = ranges.randomElement(using: &random),
          let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)),
          scalar.properties.generalCategory != .unassigned
        else { continue }
        return scalar
      }
      return nil
    }
    for _ in 0..<count {
      if let letter = draw(letters) { word.append(letter) }
      if !marks.isEmpty, Bool.random(using: &random), let mark = draw(marks) { word.append(mark) }
    }
    return String(word)
  }

  /// Canonical and compatible spellings, and in the other case.
  func spellings(of text: String) -> [String] {
    let cases = hasCase ? [text, text.uppercased(), text.lowercased()] : [text]
    var spellings: [String] = []
    for text in cases {
      for form in [
        text, text.precomposedStringWithCanonicalMapping, text.decomposedStringWithCanonicalMapping,
        text.precomposedStringWithCompatibilityMapping, text.decomposedStringWithCompatibilityMapping,
      ] where !spellings.contains(where: { $0.utf8.elementsEqual(form.utf8) }) {
        spellings.append(form)
      }
    }
    return spellings
  }
}
