import TestSupport

import EpisodicMemory

@testable import MemoryLMDB

/// A primary's whole history and what a cache must make of it, in dictionaries.
///
/// Episodes e0…e15 in domains d0…d3, patterns p0…p5, and answers: for each domain and for everything, with and without
/// active episodes. The value of a key is a text that names the last revision that touched one of its tags.
struct History {
  private(set) var revision: Int64 = 5
  private var changes: [Change] = []
  private var lastChange: [Subject: [Int64]] = [:]
  var now: Int64

  // What the cache should have.
  private var watermark: Int64?
  private var floor: Int64 = 0
  /// Whether the watermark was the last commit when the cache was told of it.
  private var isComplete = false
  struct Entry {
    let value: String
    let revision: Int64
    let deadline: Int64
  }
  var entries: [CacheKey: Entry] = [:]

  /// What a value depends on.
  enum Subject: Hashable {
    case key(CacheKey)
    case tag(CacheTag)
  }

  struct Reading {
    let key: CacheKey
    let value: String
    var tags: [CacheTag] { if case .tag(let tag) = History.subject(of: key) { [tag] } else { [] } }
    let revision: Int64
  }

  /// Names of queries: a domain or everything, `+` where active episodes count.
  private static let answers = ["d0", "d1", "d2", "d3", "*", "d0+", "d1+", "d2+", "d3+", "*+"]

  init(now: Int64) { self.now = now }

  mutating func commit(using generator: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      revision += 1
      let number = Int.random(in: 0..<16, using: &generator)
      let finished = Bool.random(using: &generator)
      let domain = "d\(number % 4)"
      let change =
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<6: Change(revision: revision, subject: .episode, key: "e\(number)", domain: domain, finished: finished)
        case 6..<8: Change(revision: revision, subject: .pattern, key: "p\(number % 6)", domain: nil, finished: true)
        default: Change(revision: revision, subject: .embedding, key: "v", domain: domain, finished: finished)
        }
      changes.append(change)
      for subject in Self.subjects(changedBy: change) { lastChange[subject, default: []].append(revision) }
    }
  }

  func batch(after asked: Watermark?, limit: Int) -> ChangeBatch {
    guard let asked, asked.revision >= 5 else {
      return ChangeBatch(asked: asked, continues: false, changes: [], end: mark(revision), isComplete: true)
    }
    let left = changes.filter { $0.revision > asked.revision }
    let some = Array(left.prefix(limit))
    return ChangeBatch(
      asked: asked, continues: true, changes: some, end: mark(some.last?.revision ?? asked.revision),
      isComplete: some.count == left.count)
  }

  mutating func caughtUp(with batch: ChangeBatch) {
    if !batch.continues {
      entries = [:]
      floor = batch.end.revision
    }
    for change in batch.changes {
      switch change.subject {
      case .episode: entries[CacheKey(.episode, change.key)] = nil
      case .pattern: entries[CacheKey(.pattern, change.key)] = nil
      case .embedding: break
      }
    }
    watermark = batch.end.revision
    isComplete = batch.isComplete
  }

  func read(using generator: inout SeededGenerator) -> Reading {
    let key = randomKey(using: &generator)
    return Reading(key: key, value: value(of: key, at: revision), revision: revision)
  }

  mutating func filled(_ reading: Reading, options: LMDBCache.Options) {
    guard let watermark, reading.revision == watermark, let known = known(Self.subject(of: reading.key)) else { return }
    if let existing = entries[reading.key] {
      if existing.revision > reading.revision { return }
      if existing.deadline > now && existing.revision >= known { return }
    }
    let lifetime = options[reading.key.kind].components.seconds * 1000
    entries[reading.key] = Entry(value: reading.value, revision: reading.revision, deadline: now + lifetime)
  }

  /// What the cache must answer.
  func expected(_ key: CacheKey) -> String? {
    guard isComplete, let entry = entries[key], entry.deadline > now, let known = known(Self.subject(of: key)),
      known <= entry.revision
    else { return nil }
    return entry.value
  }

  /// Whether an answer is the truth at the watermark or a later revision.
  func mayAnswer(_ key: CacheKey, with value: String) -> Bool {
    guard let watermark else { return false }
    return (watermark...revision).contains { self.value(of: key, at: $0) == value }
  }

  func randomKey(using generator: inout SeededGenerator) -> CacheKey {
    switch Int.random(in: 0..<10, using: &generator) {
    case 0..<5: CacheKey(.episode, "e\(Int.random(in: 0..<16, using: &generator))")
    case 5..<7: CacheKey(.pattern, "p\(Int.random(in: 0..<6, using: &generator))")
    default: CacheKey(.query, Self.answers[Int.random(in: 0..<Self.answers.count, using: &generator)])
    }
  }

  /// The last change to a subject that the cache has applied; `nil` before it has applied any.
  private func known(_ subject: Subject) -> Int64? {
    watermark.map { watermark in max(lastChange[subject]?.last { $0 <= watermark } ?? 0, floor) }
  }

  private func value(of key: CacheKey, at revision: Int64) -> String {
    "\(key) as of \(lastChange[Self.subject(of: key)]?.last { $0 <= revision } ?? 0)"
      + String(repeating: ".", count: 6000)
  }

  private static func subject(of key: CacheKey) -> Subject {
    let includingActive = key.name.hasSuffix("+")
    return switch key.kind {
    case .episode, .pattern: .key(key)
    case .query where key.name.hasPrefix("*"): .tag(.everything(includingActive: includingActive))
    case .query: .tag(.domain(String(key.name.prefix(2)), includingActive: includingActive))
    }
  }

  private static func subjects(changedBy change: Change) -> [Subject] {
    var subjects: [Subject] = []
    switch change.subject {
    case .episode: subjects.append(.key(CacheKey(.episode, change.key)))
    case .pattern: return [.key(CacheKey(.pattern, change.key))]
    case .embedding: break
    }
    for includingActive in change.finished ? [true, false] : [true] {
      subjects.append(.tag(.everything(includingActive: includingActive)))
      if let domain = change.domain { subjects.append(.tag(.domain(domain, includingActive: includingActive))) }
    }
    return subjects
  }
}
