import LMDB
import TestSupport
import Testing

@testable import WordIndex

@Suite struct `Words against brute force` {
  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func `every answer equals brute force after every change`(seed: UInt64) throws {
    var run = try WordRun(seed: seed)
    for round in 0..<24 {
      try run.change()
      if round % 8 == 7 { try run.fixture.mergeAll() }
      try run.fixture.check()
      try run.compareDocuments()
      for _ in 0..<5 { try run.compare() }
    }
  }
}

extension `Words against brute force` {
  @Test(arguments: [11, 12, 13] as [UInt64])
  func `lists of many blocks in overlapping segments give the answers of brute force`(seed: UInt64) throws {
    var run = try WordRun(seed: seed, groups: 3_000)
    for _ in 0..<5 { try run.change(count: 500) }
    for _ in 0..<8 { try run.compare() }
    try run.fixture.mergeAll()
    try run.change(count: 30)
    try run.fixture.check()
    for _ in 0..<8 { try run.compare() }
  }
}

/// Applies random changes and queries to an index and to the oracle.
private struct WordRun: ~Copyable {
  let fixture: WordIndexFixture
  var oracle = WordOracle()
  var random: SeededGenerator

  let groupCount: UInt64

  init(seed: UInt64, groups: UInt64 = 150) throws {
    fixture = try WordIndexFixture()
    groupCount = groups
    random = SeededGenerator(seed: seed)
  }

  mutating func change(count: Int? = nil) throws {
    if !oracle.documents.isEmpty, Int.random(in: 0..<3, using: &random) == 0 { try removeSome() }
    // Mostly single documents, so that merges of all sizes come about; sometimes a batch, with some replaced.
    let count = count ?? [1, 1, 1, 2, 3, 40, 200].randomElement(using: &random) ?? 1
    var batch: [WordDocument: SampleDocument] = [:]
    for _ in 0..<count {
      let document = makeDocument()
      batch[document.name] = document
    }
    let (fixture, documents) = (fixture.index, Array(batch.values))
    try self.fixture.environment.write { transaction throws(LMDBError) in
      try fixture.remove(documents.map(\.name), in: &transaction)
      var builder = SegmentBuilder()
      for document in documents { try builder.add(document) }
      try fixture.add(builder, in: &transaction)
    }
    oracle.documents.merge(batch) { $1 }
  }

  private mutating func removeSome() throws {
    let names = oracle.documents.keys.sorted()
    let index = fixture.index
    if Bool.random(using: &random) {
      let chosen = (0..<20).compactMap { _ in names.randomElement(using: &random) }
      let removed = try fixture.environment.write { transaction throws(LMDBError) in
        try index.remove(chosen, in: &transaction)
      }
      #expect(removed == Set(chosen).count)
      for name in chosen { oracle.documents[name] = nil }
    } else {
      let groups = (0..<5).map { _ in group() }
      let removed = try fixture.environment.write { transaction throws(LMDBError) in
        try index.removeGroups(groups, in: &transaction)
      }
      let gone = names.filter { groups.contains($0.group) }
      #expect(removed == gone.count)
      for name in gone { oracle.documents[name] = nil }
    }
  }

  private mutating func makeDocument() -> SampleDocument {
    let group = group()
    let isChild = Int.random(in: 0..<3, using: &random) > 0
    var document = SampleDocument(
      isChild ? .child : .parent, group, isChild ? .random(in: 0..<12, using: &random) : 0, "")
    var position: UInt32 = 0
    for _ in 0..<Int.random(in: 0..<12, using: &random) {
      document.words.append((word(), position))
      position += Int.random(in: 0..<8, using: &random) == 0 ? 1_000 : 1
    }
    return document
  }

  /// Of partitions in both halves; a group of the same number may be in each of them.
  private static let partitions: [UInt32] = [0, 1, 5, 1 << 23, 1 << 23 | 1]

  private mutating func group() -> UInt64 {
    let number = UInt64.random(in: 0..<groupCount / 3, using: &random)
    return UInt64(Self.partitions.randomElement(using: &random) ?? 0) << WordCorpus.groupBits | number
  }

  private mutating func corpus() -> [WordCorpus] {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: WordCorpus.all
    case 1: [.half(0)]
    case 2: [.half(1)]
    case 3: [.partition(1), .partition(1 << 23 | 1)]
    case 4: [.partition(Self.partitions.randomElement(using: &random) ?? 0)]
    default: [.partition(5)]
    }
  }

  /// A few words are common, many are rare.
  private mutating func word() -> String {
    let skewed = Double.random(in: 0..<1, using: &random) * Double.random(in: 0..<1, using: &random)
    return "w\(Int(skewed * skewed * 60))"
  }

  mutating func compareDocuments() throws {
    var found: [WordDocument: UInt32] = [:]
    let index = fixture.index
    try fixture.environment.read { transaction throws(LMDBError) in
      try index.forEachDocument(in: transaction) { name, length in found[name] = length }
    }
    #expect(found == oracle.documents.mapValues { UInt32($0.words.count) })
  }

  mutating func compare() throws {
    var query = WordQuery()
    for _ in 0..<Int.random(in: 0...5, using: &random) { query.words.append(Array(word().utf8)) }
    if Bool.random(using: &random), let repeated = query.words.first { query.words.append(repeated) }
    if Int.random(in: 0..<3, using: &random) == 0 {
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        query.phrases.append((0..<Int.random(in: 1...3, using: &random)).map { _ in Array(word().utf8) })
      }
    }
    for _ in 0..<max(0, Int.random(in: -2...2, using: &random)) {
      // From "w", with which nearly every word begins, to a prefix of none.
      let text = word() + ["", "", "", "x"][Int.random(in: 0..<4, using: &random)]
      query.prefixes.append(Array(text.utf8.prefix(.random(in: 1...4, using: &random))))
    }
    query.corpus = corpus()
    query.childWeight = [0, 0.25, 1].randomElement(using: &random) ?? 0
    query.childrenPerGroup = Int.random(in: 1...5, using: &random)
    let limit = [1, 2, 10, 1_000].randomElement(using: &random) ?? 1
    let admitted = [1, 1, 3, 20].randomElement(using: &random) ?? 1
    let admits: (UInt64) -> Bool = { $0 % UInt64(admitted) == 0 }
    let all = oracle.answer(query)
    let found = try fixture.search(query, limit: limit, admits: admits)
    expectSame(found, Array(all.filter { admits($0.group) }.prefix(limit)))

    let groups = (0..<20).map { _ in group() }
    let index = fixture.index
    let scores = try fixture.environment.read { t throws(LMDBError) in
      try index.scores(of: groups, index.prepare(query, in: t), in: t)
    }
    expectSame(scores, all.filter { groups.contains($0.group) }.sorted { $0.group < $1.group })
  }
}

func expectSame(_ found: [GroupScore], _ expected: [GroupScore]) {
  #expect(found.count == expected.count)
  for (a, b) in zip(found, expected) {
    // The oracle's own rounding may swap two that are equal; what counts is the score at each place.
    #expect(abs(a.score - b.score) <= 1e-12 * max(1, b.score))
    if a.group == b.group {
      #expect(abs(a.parent - b.parent) <= 1e-12 * max(1, b.parent))
      #expect(a.children.map(\.member) == b.children.map(\.member) || a.children.count == b.children.count)
    }
  }
}
