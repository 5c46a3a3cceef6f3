import LMDB
import Testing

@testable import WordIndex

@Suite struct `Prefixes of words` {
  @Test func `every token with the prefix counts, and documents without one do not match`() throws {
    let fixture = try WordIndexFixture()
    let documents = [
      SampleDocument(.parent, 1, "run runner running walk"), SampleDocument(.parent, 2, "run"),
      SampleDocument(.parent, 3, "walk"), SampleDocument(.child, 4, 7, "walk runner"),
    ]
    try fixture.add(documents)
    var oracle = WordOracle()
    for document in documents { oracle.documents[document.name] = document }
    for query in [
      WordQuery("", prefixes: ["run"]), WordQuery("walk", prefixes: ["runn"]),
      WordQuery("walk", phrases: ["run runner"], prefixes: ["w", "ru"]),
    ] {
      expectSame(try fixture.search(query), oracle.answer(query))
    }
    #expect(Set(try fixture.search(WordQuery("", prefixes: ["run"])).map(\.group)) == [1, 2, 4])
    #expect(try fixture.search(WordQuery("walk", prefixes: ["runx"])).isEmpty)
    #expect(try fixture.search(WordQuery("walk", prefixes: ["zz"])).isEmpty)
    #expect(try fixture.search(WordQuery("walk", prefixes: [""])).count == 3)
  }

  /// More terms than a dictionary page has; the ends of pages are covered too.
  @Test(arguments: ["t", "t1", "t12", "t199", "t1999", "u"])
  func `terms on many pages are found`(prefix: String) throws {
    let fixture = try WordIndexFixture()
    var oracle = WordOracle()
    let documents = (0..<300).map { number in
      SampleDocument(.parent, UInt64(number), (0..<7).map { "t\(number * 7 + $0)" }.joined(separator: " "))
    }
    try fixture.add(documents)
    for document in documents { oracle.documents[document.name] = document }
    let query = WordQuery("t5 t6", prefixes: [prefix])
    expectSame(try fixture.search(query, limit: 1_000), oracle.answer(query))
  }

  @Test func `long terms are found by the bytes that are kept, and longer prefixes are refused`() throws {
    let fixture = try WordIndexFixture()
    let stem = String(repeating: "a", count: Key.longestPrefix)
    let rest = String(repeating: "b", count: 300)
    try fixture.add([
      SampleDocument(.parent, 1, stem + rest), SampleDocument(.parent, 2, stem + rest + "c"),
      SampleDocument(.parent, 3, stem + "b"), SampleDocument(.parent, 4, "x" + stem),
      SampleDocument(.parent, 5, String(stem.dropLast())),
    ])
    #expect(Set(try fixture.search(WordQuery("", prefixes: [stem])).map(\.group)) == [1, 2, 3])
    #expect(Set(try fixture.search(WordQuery("", prefixes: ["a"])).map(\.group)) == [1, 2, 3, 5])
    #expect(try fixture.search(WordQuery(stem + rest)).map(\.group) == [1])
    #expect(throws: LMDBError.self) { try fixture.search(WordQuery("", prefixes: [stem + "b"])) }
  }

  @Test func `removed documents do not count, and a prefix only they had matches nothing`() throws {
    let fixture = try WordIndexFixture()
    try fixture.add((1...40).map { SampleDocument(.parent, $0, $0 == 9 ? "alpha alphabet beta" : "beta gamma") })
    let index = fixture.index
    #expect(try fixture.search(WordQuery("", prefixes: ["alph"])).map(\.group) == [9])
    _ = try fixture.environment.write { transaction throws(LMDBError) in
      try index.removeGroups([9], in: &transaction)
    }
    #expect(try fixture.search(WordQuery("beta", prefixes: ["alph"])).isEmpty)
    #expect(try fixture.search(WordQuery("", prefixes: ["bet"]), limit: 100).count == 39)
  }
}
