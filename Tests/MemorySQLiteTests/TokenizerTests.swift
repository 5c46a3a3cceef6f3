import EpisodicMemory
import GRDB
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `Words of a snapshot` {
  static let texts = [
    "", " ", "The quick brown foxes jumped over the lazy dogs' kennels",
    "don't can't won\u{2019}t l\u{2019}\u{E9}t\u{E9} O'Reilly's",
    "caf\u{E9} cafe\u{301} na\u{EF}ve \u{C5}ngstr\u{F6}m A\u{30A}ngstro\u{308}m \u{1EA4} \u{FB01}ne \u{130}stanbul stra\u{DF}e",
    "\u{4E16}\u{754C} \u{3053}\u{3093}\u{306B}\u{3061}\u{306F} \u{D55C}\u{AD6D}\u{C5B4} \u{1112}\u{1161}\u{11AB}",
    "\u{645}\u{631}\u{62D}\u{628}\u{627} \u{628}\u{650}\u{633}\u{652}\u{645}\u{650} \u{5E9}\u{5DC}\u{5D5}\u{5DD} \u{5E9}\u{5C1}",
    "\u{41F}\u{440}\u{438}\u{432}\u{435}\u{442} \u{439}\u{438} \u{3B5}\u{3BB}\u{3BB}\u{3B7}\u{3BD}\u{3B9}\u{3BA}\u{3AC} \u{3C2}\u{3A3}",
    "\u{928}\u{92E}\u{938}\u{94D}\u{924}\u{947} \u{E2A}\u{E27}\u{E31}\u{E2A}\u{E14}\u{E35} \u{1200}\u{1208} \u{13A0}\u{10D0}",
    "\u{1F9E8} a\u{1F600}b \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} \u{1F1E9}\u{1F1EA} x\u{FE0F}y",
    "\u{1D5D4}\u{1D5EF} \u{10428}\u{10400} \u{E000}\u{F8FF} \u{10FFFD}",
    "x\u{301}\u{301}\u{301} \u{301}leading", "\u{FEFF}\u{200B}zero\u{200B}width\u{AD}soft",
    "\u{1}\u{2}\u{1B}[31mred\u{7F}\u{80}\u{9F}",
    "0 12 3.14 1e-9 0xFF \u{BD} \u{2167} \u{660}\u{661} v1.2.3-beta",
    "func_name camelCase snake_case a.b.c /usr/lib *&^%$#@!",
    "a/b\\c\"quoted\"'single'`tick`", "running runs ran runner relational conditional rationalisation hopping hoping",
    "\"; DROP TABLE steps; --", "NEAR(a b) AND NOT OR", "tab\tnew\nline\r\nreturn\u{2028}separator\u{A0}space",
    String(repeating: "x", count: 10_000), String(repeating: "\u{E9}", count: 10_000) + " after",
    String(repeating: "y", count: 40_000) + " behind", String(repeating: "running ", count: 3_000),
    "\u{FFFD} x\u{FFFD}y", "\u{FF21}\u{FF42} \u{2460} \u{3392}",
  ]

  @Test(arguments: texts.indices) func `are those of the full-text index, each at its position`(_ index: Int)
    async throws
  {
    let text = Self.texts[index]
    let bench = try await Bench()
    _ = try await bench.primary.insert([.sample("e", context: text)], embeddings: [], existing: .fail)
    let kept = try await bench.primary.writeRows { db in
      try db.execute(sql: "CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'episodes_text', 'instance')")
      return try Row.fetchAll(db, sql: "SELECT term, offset FROM words WHERE col = 'context' ORDER BY offset").map {
        Word(text: $0[0], place: $0[1])
      }
    }
    let words = try await bench.primary.read { snapshot throws(MemoryError) in
      var words: [Word] = []
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
      defer { bytes.deallocate() }
      bytes.copyBytes(from: text.utf8)
      try snapshot.words(of: UnsafeRawBufferPointer(bytes)) { word, place in
        words.append(Word(text: String(decoding: word, as: UTF8.self), place: place))
      }
      return words
    }
    #expect(words == kept)
  }

  private struct Word: Hashable {
    let text: String
    let place: UInt32
  }
}
