import LMDB
import Testing

@testable import WordIndex

@Suite struct `A word index` {
  @Test func `an empty index finds nothing and is valid`() throws {
    let fixture = try WordIndexFixture()
    #expect(try fixture.search(WordQuery("a")).isEmpty)
    #expect(try fixture.statistics() == InvertedIndex.Statistics())
    try fixture.check()
  }

  @Test func `documents without tokens count and never match`() throws {
    let fixture = try WordIndexFixture()
    try fixture.add([
      SampleDocument(.parent, 1, ""), SampleDocument(.parent, 2, "a"), SampleDocument(.child, 1, 1, ""),
    ])
    try fixture.check()
    #expect(try fixture.search(WordQuery("a")).map(\.group) == [2])
    #expect(try fixture.search(WordQuery("")).isEmpty)
    #expect(try fixture.search(WordQuery("", phrases: [""])).isEmpty)
    let statistics = try fixture.statistics()
    #expect(statistics.parents == 2)
    #expect(statistics.children == 1)
  }

  @Test func `terms that differ only after 3,000 bytes are told apart`() throws {
    let fixture = try WordIndexFixture()
    let long = String(repeating: "x", count: 3_000)
    let longest = String(repeating: "y", count: Key.longestTerm)
    try fixture.add([
      SampleDocument(.parent, 1, long + "1"), SampleDocument(.parent, 2, long + "2 b"),
      SampleDocument(.parent, 3, longest), SampleDocument(.parent, 4, longest + "y"),
    ])
    try fixture.check()
    #expect(try fixture.search(WordQuery(long + "1")).map(\.group) == [1])
    #expect(try fixture.search(WordQuery("", phrases: [long + "2 b"])).map(\.group) == [2])
    #expect(try fixture.search(WordQuery(longest)).map(\.group) == [3])
    #expect(try fixture.search(WordQuery(longest + "y")).map(\.group) == [4])
    #expect(try fixture.search(WordQuery(long)).isEmpty)
  }

  @Test func `a phrase does not cross a gap in positions`() throws {
    let fixture = try WordIndexFixture()
    var apart = SampleDocument(.parent, 1, "a b")
    apart.words[1].position = 7
    try fixture.add([apart, SampleDocument(.parent, 2, "a b a b"), SampleDocument(.parent, 3, "b a")])
    #expect(try fixture.search(WordQuery("", phrases: ["a b"])).map(\.group) == [2])
    #expect(try fixture.search(WordQuery("", phrases: ["a b", "b a"])).map(\.group) == [2])
    #expect(try fixture.search(WordQuery("", phrases: ["a c"])).isEmpty)
  }

  @Test func `of 10,000 children in one group the best few count`() throws {
    let fixture = try WordIndexFixture()
    var oracle = WordOracle()
    for start in stride(from: UInt64(0), to: 10_000, by: 2_500) {
      let batch = (start..<start + 2_500).map { member in
        SampleDocument(.child, 7, member, member % 100 == 3 ? "needle in hay" : "hay \(member % 7 == 0 ? "stack" : "")")
      }
      try fixture.add(batch)
      for document in batch { oracle.documents[document.name] = document }
    }
    try fixture.add([SampleDocument(.child, 8, 1, "hay hay")])
    let other = SampleDocument(.child, 8, 1, "hay hay")
    oracle.documents[other.name] = other
    try fixture.mergeAll()
    try fixture.check()
    for text in ["needle", "hay", "needle hay stack"] {
      let found = try fixture.search(WordQuery(text))
      let expected = oracle.answer(WordQuery(text))
      #expect(found.map(\.group) == expected.map(\.group))
      #expect(found.map(\.children) == expected.map(\.children))
    }
  }

  @Test func `a filter is called only for groups that would be in the answer`() throws {
    let fixture = try WordIndexFixture()
    try fixture.add((1...2_000).map { SampleDocument(.parent, $0, $0 % 3 == 0 ? "a" : "a b c d e f") })
    var calls = 0
    let found = try fixture.search(WordQuery("a"), limit: 5) { _ in
      calls += 1
      return true
    }
    #expect(found.map(\.group) == [3, 6, 9, 12, 15])
    #expect(calls < 20)
  }

  @Test func `a document that is twice in a batch is refused`() throws {
    let fixture = try WordIndexFixture()
    let document = SampleDocument(.parent, 1, "a")
    #expect(throws: LMDBError.self) { try fixture.add([document, document]) }
    #expect(try fixture.statistics().parents == 0)
  }

  @Test func `a builder refuses what is out of order`() throws {
    var builder = SegmentBuilder()
    let token: [UInt8] = [97]
    var refusals = 0
    do { try builder.end() } catch { refusals += 1 }
    try builder.begin(WordDocument(field: .parent, group: 1))
    try token.span.bytes.withUnsafeBytes { token throws(LMDBError) in try builder.add(token: token, position: 5) }
    do {
      try token.span.bytes.withUnsafeBytes { token throws(LMDBError) in try builder.add(token: token, position: 5) }
    } catch { refusals += 1 }
    do { try builder.begin(WordDocument(field: .parent, group: 2)) } catch { refusals += 1 }
    try builder.end()
    do { try builder.begin(WordDocument(field: .parent, group: .max)) } catch { refusals += 1 }
    #expect(refusals == 4)
    #expect(builder.documentCount == 1)
  }

  @Test func `removing everything leaves nothing`() throws {
    let fixture = try WordIndexFixture()
    try fixture.add((1...100).map { SampleDocument(.parent, $0, "a b") })
    try fixture.environment.write { t throws(LMDBError) in
      _ = try fixture.index.removeGroups(Array(1...100), in: &t)
    }
    try fixture.check()
    #expect(try fixture.statistics() == InvertedIndex.Statistics())
    try fixture.add([SampleDocument(.parent, 1, "a")])
    try fixture.environment.write { t throws(LMDBError) in try t.removeAll(in: fixture.index.database) }
    try fixture.check()
    #expect(try fixture.search(WordQuery("a")).isEmpty)
  }

  @Test func `the filter is called only for groups that would be in the answer`() throws {
    let fixture = try WordIndexFixture()
    try fixture.add((1...100).map { SampleDocument(.parent, $0, "a b") })
    var query = WordQuery("")
    query.phrases = [["a", "b"].map { Array($0.utf8) }]
    var asked: [UInt64] = []
    let best = try fixture.search(query, limit: 3) { group in
      asked.append(group)
      return true
    }
    #expect(best.map(\.group) == [1, 2, 3])
    #expect(asked == [1, 2, 3], "of equal scores the lower group comes first")
  }
}
