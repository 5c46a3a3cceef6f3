import EpisodicMemory
import LMDB
import Testing

@testable import MemoryLMDB

@Suite struct `Nothing older than the watermark` {
  // MARK: Fills

  @Test func `is filled by a slow reader`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let old = Episode.sample("a", context: "old")
    cache.commit((.episode, "a", domain: "d", finished: true))
    cache.fill(old, asOf: 10)
    #expect(cache.episode(old.id) == nil)
    #expect(cache.statistics()[.episode].refused == 1)
  }

  @Test func `is filled from before the cache was begun`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 9)
    #expect(cache.episode("a") == nil)
    #expect(cache.statistics()[.episode].refused == 1)
  }

  @Test func `is filled over a newer value`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.commit((.episode, "other", domain: "d", finished: true))
    let newer = Episode.sample("a", context: "newer")
    cache.fill(newer, asOf: 11)
    cache.fill(.sample("a", context: "older"), asOf: 10)
    #expect(cache.episode("a") == newer)
    #expect(cache.statistics()[.episode].refused == 1)
  }

  @Test func `is filled before the cache knows of the primary at all`() throws {
    let store = try ScratchStore()
    let cache = try store.open()
    cache.fill(.sample("a"), asOf: 10)
    #expect(cache.episode("a") == nil)
    #expect(cache.statistics()[.episode].refused == 1)
  }

  @Test func `is filled from a history that was replaced`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(
      CacheKey(.query, "q"), with: Text("other history"), tags: [], asOf: Watermark(revision: 10, nonce: 8))
    #expect(cache.value(CacheKey(.query, "q"), as: Text.self) == nil)
  }

  @Test func `is refused when it is newer than the watermark`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let ahead = Episode.sample("a", context: "read after a commit the cache has not heard of")
    cache.fill(ahead, asOf: 11)
    #expect(cache.episode("a") == nil)
    cache.commit((.episode, "b", domain: "d", finished: true))
    cache.fill(ahead, asOf: 11)
    #expect(cache.episode("a") == ahead)
  }

  // MARK: Changes

  @Test func `is served after a change to the episode or the pattern`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    cache.fill(CacheKey(.pattern, "t:h"), with: Text("p"), asOf: mark(10))
    cache.fill(.sample("b"), asOf: 10)
    cache.commit((.episode, "a", domain: "d", finished: false), (.pattern, "t:h", domain: nil, finished: true))
    #expect(cache.episode("a") == nil)
    #expect(cache.value(CacheKey(.pattern, "t:h"), as: Text.self) == nil)
    #expect(cache.episode("b") != nil)
    #expect(cache.statistics()[.episode].entries == 1)
    try #expect(cache.problems() == [])
  }

  struct Effect: Sendable, CustomTestStringConvertible {
    let subject: Change.Subject
    var domain: String? = "d"
    var finished = true
    /// Answers that survive, of those for the domain and everywhere, with and without active episodes.
    let survivors: Set<String>

    var testDescription: String { "\(subject) of \(domain ?? "-"), finished \(finished)" }
  }

  @Test(arguments: [
    Effect(subject: .episode, survivors: ["other"]),
    Effect(subject: .episode, finished: false, survivors: ["other", "d finished", "all finished"]),
    Effect(subject: .embedding, survivors: ["other"]),
    Effect(subject: .embedding, finished: false, survivors: ["other", "d finished", "all finished"]),
    Effect(subject: .embedding, domain: nil, survivors: ["other", "d finished", "d active"]),
    Effect(
      subject: .pattern, domain: nil,
      survivors: ["other", "d finished", "d active", "all finished", "all active"]),
    // A change of which nobody can say whose domain it touched takes them all along.
    Effect(subject: .episode, domain: nil, finished: false, survivors: []),
  ])
  func `is answered after a change in the scope of the query`(_ effect: Effect) throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let answers: [String: CacheTag] = [
      "d finished": .domain("d", includingActive: false), "d active": .domain("d", includingActive: true),
      "all finished": .everything(includingActive: false), "all active": .everything(includingActive: true),
      "other": .domain("other", includingActive: true),
    ]
    for (name, tag) in answers { cache.fill(CacheKey(.query, name), with: Text(name), tags: [tag], asOf: mark(10)) }
    cache.commit((effect.subject, "x", domain: effect.domain, finished: effect.finished))
    let left = answers.keys.filter { cache.value(CacheKey(.query, $0), as: Text.self) != nil }
    #expect(Set(left) == effect.survivors)
    try #expect(cache.problems() == [])
  }

  @Test func `is brought back by the slower of two that catch up`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    let slow = ChangeBatch(asked: mark(10), continues: true, changes: [], end: mark(11), isComplete: true)
    cache.commit(
      (.episode, "a", domain: "d", finished: true), (.episode, "a", domain: "d", finished: true))
    #expect(cache.apply(slow).isOvertaken)
    #expect(cache.watermark() == mark(12))
    let ignorant = ChangeBatch(asked: nil, continues: false, changes: [], end: mark(11), isComplete: true)
    #expect(cache.apply(ignorant).isOvertaken)
    #expect(cache.watermark() == mark(12))
  }

  @Test func `survives a history that does not continue`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    #expect(cache.begin(at: 8))
    #expect(cache.episode("a") == nil)
    #expect(cache.watermark() == mark(8))
    #expect(cache.statistics()[.episode].entries == 0)
    cache.fill(.sample("a"), asOf: 7)
    #expect(cache.episode("a") == nil)
    cache.fill(.sample("a"), asOf: 8)
    #expect(cache.episode("a") != nil)
    try #expect(cache.problems() == [])
  }

  @Test func `survives a batch that runs backwards`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    let backwards = ChangeBatch(asked: mark(10), continues: true, changes: [], end: mark(3), isComplete: true)
    #expect(cache.apply(backwards).isApplied)
    #expect(cache.episode("a") == nil)
  }

  @Test func `is lost where a batch brings nothing`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    let nothing = ChangeBatch(asked: mark(10), continues: true, changes: [], end: mark(10), isComplete: true)
    #expect(cache.apply(nothing).isApplied)
    #expect(cache.episode("a") != nil)
  }

  // MARK: The table of tags

  @Test func `slips through when the older half of the tags is forgotten`() throws {
    var store = try ScratchStore()
    store.sizes.maximumTags = 100
    let cache = try store.begun()
    cache.fill(.sample("early"), asOf: 10)
    let tag = CacheTag.domain("quiet", includingActive: false)
    cache.fill(CacheKey(.query, "early"), with: Text("answer"), tags: [tag], asOf: mark(10))
    for round in 0..<50 {
      cache.commit((.episode, "x\(round)", domain: "d\(round)", finished: true))
      try #expect(cache.problems() == [])
    }
    // A change to it would have dropped it, so it needs no tag.
    #expect(cache.episode("early") != nil)
    // Its domain never changed, but that is beyond what the table remembers.
    #expect(cache.value(CacheKey(.query, "early"), as: Text.self) == nil)
    for name in ["x0", "unheard of"] as [Episode.ID] {
      cache.fill(.sample(name.rawValue), asOf: 10)
      #expect(cache.episode(name) == nil)
    }
    try cache.tier.environment.read { transaction throws(LMDBError) in
      let count = try transaction.count(in: cache.tables.tags.database)
      #expect(count <= 100)
    }
  }

  @Test func `removing everything forgets no change`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.commit((.episode, "a", domain: "d", finished: true))
    cache.fill(.sample("b"), asOf: 11)
    cache.removeAll()
    #expect(cache.episode("b") == nil)
    #expect(cache.watermark() == mark(11))
    cache.fill(.sample("a"), asOf: 10)
    #expect(cache.episode("a") == nil)
    cache.fill(.sample("b"), asOf: 11)
    #expect(cache.episode("b") != nil)
    try #expect(cache.problems() == [])
  }
}
