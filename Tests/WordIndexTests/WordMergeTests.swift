import LMDB
import Testing

@testable import WordIndex

@Suite struct `Merging word segments` {
  @Test func `single documents end in few segments and are all found`() throws {
    let fixture = try WordIndexFixture()
    for group in UInt64(1)...200 { try fixture.add([SampleDocument(.parent, group, "a w\(group % 10)")]) }
    try fixture.check()
    #expect(try fixture.statistics().segments <= 21)
    #expect(try fixture.search(WordQuery("w3"), limit: 100).count == 20)
  }

  @Test func `documents removed during a merge stay removed`() throws {
    let fixture = try Self.due()
    let plan = try #require(try Self.plan(fixture))
    var removed = false
    try Self.merge(fixture, plan) { write throws(LMDBError) in
      if removed { return }
      removed = true
      _ = try fixture.index.removeGroups([5, 700], in: &write)
      _ = try fixture.index.remove([WordDocument(field: .parent, group: 9, member: 0)], in: &write)
    }
    try fixture.check()
    let found = try fixture.search(WordQuery("all"), limit: 10_000).map(\.group)
    #expect(found.count == 8 * 600 - 3)
    #expect(!found.contains(5) && !found.contains(9) && !found.contains(700))
    #expect(try fixture.statistics().segments == 1)
  }

  @Test func `a document that is replaced during a merge has one version`() throws {
    let fixture = try Self.due()
    let plan = try #require(try Self.plan(fixture))
    var replaced = false
    try Self.merge(fixture, plan) { write throws(LMDBError) in
      if replaced { return }
      replaced = true
      _ = try fixture.index.removeGroups([5], in: &write)
      var builder = SegmentBuilder()
      try builder.add(SampleDocument(.parent, 5, "new all"))
      try fixture.index.add(builder, in: &write)
    }
    try fixture.check()
    #expect(try fixture.search(WordQuery("new")).map(\.group) == [5])
    #expect(try fixture.search(WordQuery("all"), limit: 10_000).count == 8 * 600)
  }

  @Test func `a merge that fails leaves nothing behind`() throws {
    let fixture = try Self.due()
    let plan = try #require(try Self.plan(fixture))
    let before = try fixture.environment.read { t throws(LMDBError) in try t.count(in: fixture.index.database) }
    #expect(throws: LMDBError.self) {
      var writes = 0
      try Self.merge(fixture, plan) { _ throws(LMDBError) in
        writes += 1
        if writes >= 3 { throw LMDBError(.unavailable, message: "killed") }
      }
    }
    // As after a kill: the output is there, and nothing has cleaned up.
    try fixture.check()
    let between = try fixture.environment.read { t throws(LMDBError) in try t.count(in: fixture.index.database) }
    #expect(between > before)
    try fixture.index.removeAbandoned { body throws(LMDBError) in
      try fixture.environment.write { t throws(LMDBError) in try body(&t) }
    }
    try fixture.check()
    let after = try fixture.environment.read { t throws(LMDBError) in try t.count(in: fixture.index.database) }
    #expect(after == before)
    #expect(try Self.plan(fixture) == plan)
  }

  @Test func `a merge that is abandoned meanwhile ends without effect`() throws {
    let fixture = try Self.due()
    let plan = try #require(try Self.plan(fixture))
    var writes = 0
    let isMerged = try Self.merge(fixture, plan) { write throws(LMDBError) in
      writes += 1
      // Between the first piece and the second; the writes of the sweep come from inside this one.
      guard writes == 2 else { return }
      var manifest = try fixture.index.manifest(in: write)
      manifest.retired += manifest.pending
      manifest.pending = []
      try fixture.index.put(manifest, in: &write)
    }
    #expect(!isMerged)
    try fixture.check()
    #expect(try fixture.statistics().segments == 8)
    #expect(try fixture.search(WordQuery("all"), limit: 10_000).count == 8 * 600)
  }

  @Test func `a segment of which much is dead is rewritten`() throws {
    let fixture = try WordIndexFixture()
    try fixture.add((1...1_000).map { SampleDocument(.parent, $0, "a b\($0)") })
    try fixture.environment.write { t throws(LMDBError) in
      _ = try fixture.index.removeGroups(Array(1...400), in: &t)
    }
    #expect(try fixture.statistics().dead == 400)
    try fixture.mergeAll()
    try fixture.check()
    #expect(try fixture.statistics().dead == 0)
    #expect(try fixture.search(WordQuery("a"), limit: 1_000).count == 600)
    #expect(try fixture.search(WordQuery("b7")).isEmpty)
  }

  @Test func `eight segments of a megabyte each are not merged in the transaction that adds one`() {
    var segment = Manifest.Segment(id: 1)
    segment[.child].documents = 10
    segment.bytes = 1 << 20
    #expect(MergePolicy.isSmall([segment, segment, segment]))
    #expect(!MergePolicy.isSmall(Array(repeating: segment, count: 8)))
  }

  /// Eight segments of 600 documents: too many for `add` to merge.
  private static func due() throws -> WordIndexFixture {
    let fixture = try WordIndexFixture()
    for batch in UInt64(0)..<8 {
      // Groups interleave, and many terms make the merge take several pieces.
      try fixture.add(
        (0..<600).map {
          SampleDocument(.parent, $0 * 8 + batch, "all w\($0 % 50) only\($0 * 8 + batch) some\($0 % 3)")
        })
    }
    return fixture
  }

  private static func plan(_ fixture: borrowing WordIndexFixture) throws -> MergePlan? {
    let index = fixture.index
    return try fixture.environment.read { t throws(LMDBError) in try index.dueMerge(in: t) }
  }

  /// Runs a merge, with something else in each of its write transactions after the first.
  @discardableResult
  private static func merge(
    _ fixture: borrowing WordIndexFixture, _ plan: MergePlan,
    _ meanwhile: (inout WriteTransaction) throws(LMDBError) -> Void
  ) throws(LMDBError) -> Bool {
    let environment = fixture.environment
    var isFirst = true
    return try fixture.index.merge(
      plan, pieceBytes: 1 << 14,
      read: { body throws(LMDBError) in
        try environment.read { transaction throws(LMDBError) in try body(transaction) }
      },
      write: { body throws(LMDBError) in
        try environment.write { transaction throws(LMDBError) in
          try body(&transaction)
          if !isFirst { try meanwhile(&transaction) }
          isFirst = false
        }
      })
  }
}
