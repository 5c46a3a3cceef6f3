import Episodic
import Foundation
import TestSupport
import Testing

/// A plain model of what each selection takes.
struct ErasureOracle {
  var episodes: [Episode.ID: Episode] = [:]
  var embeddings: [Episode.ID: [String]] = [:]
  /// Patterns by name: domain, text, and the episodes that each is linked to.
  var patterns: [Pattern.ID: (domain: String?, text: String, links: Set<Episode.ID>)] = [:]

  static let words = ["alpha", "bravo", "caf\u{e9}", "delta", "echo-17"]
  static let domains = ["one", "two", "three"]

  mutating func fill(_ memory: Memory, _ generator: inout SeededGenerator) async throws {
    func word() -> String { Self.words.randomElement(using: &generator) ?? "alpha" }
    func maybe() -> Bool { Bool.random(using: &generator) && Bool.random(using: &generator) }
    for number in 0..<60 {
      let id = Episode.ID("e\(number)")
      let start = Timestamp(milliseconds: 1_767_225_600_000 + Int64.random(in: 0..<100, using: &generator) * 1000)
      let episode = Episode(
        id: id, taskType: .testing, domain: Self.domains.randomElement(using: &generator) ?? "one",
        session: maybe() ? "session \(word())" : nil, context: maybe() ? "about \(word())" : "nothing",
        status: .completed, createdAt: start, completedAt: start,
        metadata: maybe() ? ["user": ["name": .string(word())], "n": .integer(Int64(number % 3))] : [:],
        steps: (1...2).map { step in
          Step(
            id: Step.ID("\(id)/\(step)"), number: step, action: maybe() ? "say \(word())" : "wait",
            result: maybe() ? word() : nil, tool: maybe() ? word() : "sh", timestamp: start)
        })
      episodes[id] = episode
      if maybe() { embeddings[id] = ["embedded \(word())"] }
    }
    let drafts = embeddings.map { id, contents in
      Embedding.Draft(of: id, content: contents[0], vector: [1, 2], model: "m")
    }
    try await memory.insert(Array(episodes.values), embeddings: drafts)
    for number in 0..<12 {
      let domain = number.isMultiple(of: 3) ? nil : Self.domains[number % 3]
      let text = "pattern \(number) of \(maybe() ? word() : "nothing")"
      let data: JSON = ["text": .string(text)]
      let pattern = try await memory.record(Pattern.Draft(.optimization, data: data, domain: domain))
      var links: Set<Episode.ID> = []
      for episode in episodes.values where domain == nil || episode.domain == domain {
        guard Int.random(in: 0..<20, using: &generator) == 0 else { continue }
        try await memory.link(pattern.id, to: episode.id)
        links.insert(episode.id)
      }
      patterns[pattern.id] = (domain, text, links)
    }
  }

  private func has(_ text: String, _ ignoringCase: Bool, _ fields: [String?]) -> Bool {
    fields.contains { field in
      guard let field else { return false }
      return ignoringCase ? field.lowercased().contains(text.lowercased()) : field.contains(text)
    }
  }

  func takes(_ selection: Erasure.Selection, _ episode: Episode) -> Bool {
    switch selection {
    case .episodes(let ids): ids.contains(episode.id)
    case .session(let name): episode.session == name
    case .domain(let name): episode.domain == name
    case .created(let range): range.contains(episode.createdAt)
    case .metadata(let path, let value):
      path.reduce(Optional(episode.metadata)) { $0?[$1] } == value
    case .source(let source, let since):
      ([(episode.provenance, episode.createdAt)] + episode.steps.map { ($0.provenance, $0.timestamp) }).contains {
        origin, time in
        [origin.source?.rawValue, origin.sourceID].contains(source) && since.map { time >= $0 } ?? true
      }
    case .text(let text, let ignoringCase):
      has(
        text, ignoringCase,
        [episode.id.rawValue, episode.context, episode.session, episode.taskType.rawValue, episode.domain]
          + episode.steps.flatMap { [$0.id.rawValue, $0.action, $0.result, $0.tool] }
          + [episode.metadata.canonicalText] + (embeddings[episode.id] ?? []))
    case .everything: true
    }
  }

  /// - Parameter also: What was erased by its id.
  /// - Parameter among: Only these are taken by the selection; `nil` for all.
  mutating func erase(
    _ selection: Erasure.Selection, _ scope: Query.Scope, _ policy: Erasure.PatternPolicy,
    also: (episodes: Set<Episode.ID>, patterns: Set<Pattern.ID>) = ([], []),
    among: (episodes: Set<Episode.ID>, patterns: Set<Pattern.ID>)? = nil
  ) {
    let only: String? = if case .domain(let name) = scope { name } else { nil }
    let taken = episodes.values.filter { episode in
      (only == nil || episode.domain == only) && takes(selection, episode)
        && among.map { $0.episodes.contains(episode.id) } ?? true
    }
    let gone = Set(taken.map(\.id)).union(also.episodes)
    for id in gone { episodes[id] = nil }
    for (id, pattern) in patterns {
      let isWithin = only == nil || pattern.domain == only
      let lost = !pattern.links.isEmpty && pattern.links.isSubset(of: gone)
      let matches =
        switch selection {
        case .everything: true
        case .domain(let name): pattern.domain == name
        case .text(let text, let ignoringCase):
          has(text, ignoringCase, [pattern.text, pattern.domain, id.rawValue, "optimization"])
        default: false
        }
      let isTaken = matches && among.map { $0.patterns.contains(id) } ?? true
      if also.patterns.contains(id) || isWithin && (isTaken || lost && policy == .eraseWithoutEvidence) {
        patterns[id] = nil
      } else {
        patterns[id]?.links.subtract(gone)
      }
    }
  }
}

@Suite struct `Selections of an erasure` {
  static let selections: [Erasure.Selection] = [
    .episodes((0..<60).filter { $0.isMultiple(of: 7) }.map { Episode.ID("e\($0)") }), .session("session alpha"),
    .domain("two"),
    .created(Timestamp(milliseconds: 1_767_225_620_000)..<Timestamp(milliseconds: 1_767_225_660_000)),
    .metadata(path: ["user", "name"], "cafe\u{301}".precomposedStringWithCanonicalMapping.jsonValue),
    .metadata(path: ["n"], 2), .text("echo-17"), .text("cafe\u{301}"), .text("BRAVO", ignoringCase: true),
    .text("e17/"), .everything,
  ]

  /// I8: what is in another domain stays.
  @Test(arguments: selections, [Query.Scope.everything, .domain("one"), .domain("two")])
  func `take what a plain search takes, within their scope`(
    _ selection: Erasure.Selection, _ scope: Query.Scope
  ) async throws {
    for (seed, policy) in zip([1, 2] as [UInt64], Erasure.PatternPolicy.allCases) {
      var generator = SeededGenerator(seed: seed)
      let memory = try await Memory.inMemory()
      var oracle = ErasureOracle()
      try await oracle.fill(memory, &generator)
      let before = oracle
      oracle.erase(selection, scope, policy)
      let (episodes, patterns) = (
        before.episodes.count - oracle.episodes.count, before.patterns.count - oracle.patterns.count
      )
      do throws(MemoryError) {
        let preview = try await memory.forget(selection, in: scope, patterns: policy, dryRun: true)
        #expect(try await memory.episodes(.init(), in: .everything, limit: 100).elements.count == before.episodes.count)
        let receipt = try await memory.forget(selection, in: scope, patterns: policy)
        #expect(receipt.counts.episodes == episodes && receipt.counts.patterns == patterns)
        #expect(receipt.counts.steps == 2 * episodes && receipt.cleanedAt != nil)
        #expect(preview.counts.episodes == episodes && preview.counts.links == receipt.counts.links)
        #expect(preview.selection == receipt.selection)
      } catch {
        #expect(error.code == .notFound && episodes == 0 && patterns == 0, "\(error)")
      }
      let left = try await memory.episodes(.init(), in: .everything, limit: 100).elements
      #expect(Set(left.map(\.id)) == Set(oracle.episodes.keys))
      let leftPatterns = try await memory.patterns(.init(limit: 100), in: .everything)
      #expect(Set(leftPatterns.map(\.id)) == Set(oracle.patterns.keys))
      for pattern in oracle.patterns.keys {
        let links = oracle.patterns[pattern]?.links ?? []
        for id in links { #expect(try await memory.patterns(of: id).contains { $0.id == pattern }) }
      }
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check)") }
    }
  }

  @Test(arguments: [("caf\u{e9}", "cafe\u{301}"), ("cafe\u{301}", "caf\u{e9}")])
  func `by metadata find composed and decomposed letters, in a copy too`(_ stored: String, _ given: String) async throws
  {
    let store = try Store()
    func episode(_ id: Episode.ID) -> Episode {
      var episode = Episode.sample(id)
      episode.metadata = [stored: [stored: .string(stored)], "n": 1]
      return episode
    }
    let backup = try await store.withMemory { memory in
      try await memory.insert([episode("a"), episode("b"), .sample("kept")])
      let backup = try await memory.backUp()
      _ = try await memory.delete("b")
      let receipt = try await memory.forget(.metadata(path: [given, given], .string(given)), in: .everything)
      #expect(receipt.counts.episodes == 1)
      return backup
    }
    _ = try await Memory.restore(backup.path, to: store.path)
    #expect(try await store.present("a", "b", "kept") == ["kept"])
  }

  static let useless: [(Erasure.Selection, MemoryError.Code)] = [
    (.episodes([]), .invalid), (.text(""), .invalid), (.session(""), .invalid), (.metadata(path: [], 1), .invalid),
    (.created(Timestamp(milliseconds: 5)..<Timestamp(milliseconds: 5)), .invalid), (.episodes(["none"]), .notFound),
    (.text("no such text"), .notFound), (.domain("none"), .notFound),
  ]

  @Test(arguments: useless) func `that can match nothing are refused, and nothing is written`(
    _ selection: Erasure.Selection, _ code: MemoryError.Code
  ) async throws {
    let memory = try await Memory.inMemory()
    try await memory.insert([.sample("kept", steps: ["step"])])
    let cursor = try await memory.changeCursor()
    let error = await #expect(throws: MemoryError.self) { try await memory.forget(selection, in: .everything) }
    #expect(error?.code == code)
    #expect(try await memory.changeCursor() == cursor)
    #expect(try await memory.receipts() == [])
  }

  @Test func `by text find it where JSON writes it with escapes, and in keys of requests`() async throws {
    let memory = try await Memory.inMemory()
    let secret = "a\"b\\c\u{7}d"
    _ = try await memory.begin(
      .init(.testing, domain: "d", context: "x", metadata: ["deep": [["name": .string(secret)]]], id: "json"))
    _ = try await memory.begin(.init(.testing, domain: "d", context: "y", id: "key"), idempotencyKey: "key-of-mine")
    #expect(try await memory.forget(.text(secret), in: .domain("d")).counts.episodes == 1)
    let keys = try await memory.forget(.text("key-of-mine"), in: .everything).counts
    #expect(keys.idempotencyKeys == 1 && keys.episodes == 0)
    #expect(try await memory.episode("key") != nil)
    #expect(try await memory.episode("json") == nil)
  }

  @Test func `of an episode that was deleted before erase its keys and its id in the feed`() async throws {
    let memory = try await Memory.inMemory()
    _ = try await memory.begin(.init(.testing, domain: "d", context: "x", id: "gone"), idempotencyKey: "k")
    try await memory.delete("gone")
    let receipt = try await memory.forget(.episodes(["gone"]), in: .everything)
    #expect(receipt.counts.episodes == 0 && receipt.counts.idempotencyKeys == 1 && receipt.counts.changes >= 2)
    let changes = try await memory.committedChanges(after: .beginning, in: .everything, limit: 100).batch.changes
    #expect(changes.isEmpty)
  }
}
