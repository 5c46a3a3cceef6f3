import Episodic
import Foundation
import TestSupport
import Testing

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

/// I8, by type: what a handle returns is compared with what a store returns that has never seen another domain.
@Suite struct `A handle to a domain` {
  /// One domain of the shared store and, as the oracle, the same domain alone in a store of its own.
  private final class Tenant {
    let name: String
    let shared: DomainMemory
    let alone: DomainMemory
    var episodes: [Episode.ID] = []
    var patterns: [Pair<Pattern.ID>] = []
    var embeddings: [Pair<Embedding.ID>] = []
    var begun = 0

    /// Ids that the engine makes differ between the two stores.
    struct Pair<ID> { let shared: ID, alone: ID }

    init(_ name: String, in memory: Memory, alone: Memory) {
      self.name = name
      shared = memory.domain(name)
      self.alone = alone.domain(name)
    }
  }

  /// What a call returns or throws, without the ids that the engine makes.
  private func outcome(_ body: () async throws -> Any) async -> String {
    let said: String
    do {
      said = "\(try await body())"
    } catch {
      said = "\((error as? MemoryError)?.code.rawValue ?? "?"): \(error)"
    }
    return said.replacing(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/, with: "UUID")
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `answers, errors included, as if its domain were alone in the store`(_ seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let clock = ManualClock()
    let store = try Store()
    let memory = try await store.open { $0.clock = clock }
    var tenants: [Tenant] = []
    var directories: [Store] = []
    for name in ["apple", "banana"] {
      let own = try Store()
      directories.append(own)
      tenants.append(Tenant(name, in: memory, alone: try await own.open { $0.clock = clock }))
    }
    for round in 0..<250 {
      clock.advance(by: .seconds(1))
      let place = Int.random(in: 0...1, using: &random)
      let (own, other) = (tenants[place], tenants[1 - place])
      // Half of the ids are of the other domain; some exist nowhere.
      let foreign = Bool.random(using: &random)
      let id = ((foreign ? other : own).episodes + ["nowhere"]).randomElement(using: &random) ?? "nowhere"
      let strays = (foreign ? other.patterns : own.patterns).randomElement(using: &random)
      let pattern = strays.map { ($0.shared, foreign ? $0.shared : $0.alone) } ?? ("none", "none")
      let vectors = (foreign ? other.embeddings : own.embeddings).randomElement(using: &random)
      let vector = vectors.map { ($0.shared, foreign ? $0.shared : $0.alone) } ?? ("none", "none")
      let word = "\(own.name)word\(round % 7)"
      var seen = ""
      /// Does the same in both stores and compares.
      func both(_ verb: (DomainMemory, Bool) async throws -> Any) async {
        let found = await outcome { try await verb(own.shared, true) }
        let expected = await outcome { try await verb(own.alone, false) }
        #expect(found == expected, "round \(round)")
        seen += found
      }
      let choice = Int.random(in: 0..<23, using: &random)
      switch choice {
      case 0...2:
        own.begun += 1
        let fresh = Episode.ID("\(own.name)-\(own.begun)")
        own.episodes.append(fresh)
        await both { handle, _ in
          try await handle.begin(
            .testing, context: "task \(word)", session: own.name, metadata: ["of": .string(own.name)], id: fresh)
        }
      case 3...5:
        await both { handle, _ in
          try await handle.append([.init("run \(word)", result: own.name, success: true), .init("look")], to: id)
        }
      case 6: await both { handle, _ in try await handle.complete(id) }
      case 7: await both { handle, _ in try await handle.fail(id, successRate: 0.5) }
      case 8: await both { handle, _ in try await handle.reopen(id) }
      case 9: await both { handle, _ in try await handle.archive(id) }
      case 10: await both { handle, _ in try await handle.update(id, with: .init(context: "changed \(word)")) }
      case 11: await both { handle, _ in try await handle.delete(id) }
      case 12:
        // The same data in both domains are two patterns.
        let word = "word\(round % 3)"
        var made: [Pattern.ID] = []
        await both { handle, _ in
          let pattern = try await handle.record(
            .init(.toolSequence, data: ["use": .string(word)], metadata: ["of": .string(own.name)]), from: id)
          made.append(pattern.id)
          return pattern
        }
        if made.count == 2 { own.patterns.append(.init(shared: made[0], alone: made[1])) }
      case 13: await both { handle, isShared in try await handle.link(isShared ? pattern.0 : pattern.1, to: id) }
      case 14: await both { handle, isShared in try await handle.unlink(isShared ? pattern.0 : pattern.1, from: id) }
      case 15:
        await both { handle, isShared in
          try await handle.markUsed(isShared ? pattern.0 : pattern.1, succeeded: true)
        }
      case 16: await both { handle, isShared in try await handle.delete(pattern: isShared ? pattern.0 : pattern.1) }
      case 17...18:
        var made: [Embedding.ID] = []
        await both { handle, _ in
          let embedding = try await handle.embed(
            .init(of: id, content: word, vector: [1, Float(round)], model: "model of \(own.name)"))
          made.append(embedding.id)
          return embedding
        }
        if made.count == 2 { own.embeddings.append(.init(shared: made[0], alone: made[1])) }
      case 19: await both { handle, isShared in try await handle.delete(embedding: isShared ? vector.0 : vector.1) }
      case 20:
        await both { handle, isShared in
          try await handle.write { batch -> Episode in
            try batch.append(.init("batch \(word)"), to: id)
            try batch.update(id, with: .init(metadata: ["of": .string(handle.name)]))
            try batch.link(isShared ? pattern.0 : pattern.1, to: id)
            return try batch.complete(id)
          }
        }
      case 21 where own.episodes.contains(id):
        await both { handle, _ in
          try await handle.insert([.sample(id, domain: own.name, context: "imported \(word)")], existing: .replace)
        }
      case 21:
        guard try await memory.episode(id) != nil else { break }
        seen += await outcome { try await own.shared.insert([.sample(id, domain: own.name)], existing: .replace) }
        #expect(seen.hasPrefix("conflict: the episode id"))
      default:
        await both { handle, _ in
          var filter = Episode.Filter()
          filter.statuses = Set(Episode.Status.allCases)
          let hits = try await handle.recall(Query(text: "\(word) run task", scope: .everything, filter: filter))
          return hits.map(\.episode.id).sorted()
        }
        await both { handle, _ in try await handle.episodes(limit: 100).elements }
        await both { handle, _ in try await handle.patterns(.init(limit: 100)).map(\.data).map { "\($0)" }.sorted() }
      }
      await both { handle, _ in try await handle.episode(id) as Any }
      await both { handle, _ in try await handle.episodes([id, "nowhere"], steps: .last(1)) }
      await both { handle, _ in try await handle.steps(of: id, limit: 2) }
      await both { handle, _ in try await handle.pattern(.toolSequence, data: ["use": "word1"]) as Any }
      await both { handle, _ in try await handle.embeddings(of: id) }
      await both { handle, _ in try await handle.patterns(of: id).map(\.data).map { "\($0)" }.sorted() }
      // Whatever was returned or thrown says nothing of the other domain but the id that was asked for.
      #expect(!seen.replacing(id.rawValue, with: "").contains(other.name), "round \(round), verb \(choice): \(seen)")
    }
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await memory.close()
    for tenant in tenants { try await tenant.alone.write { _ in } }
  }

  @Test func `reads an episode by id from the cache that all share, and compares the domain`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let (web, other) = (memory.domain("web"), memory.domain("other"))
    let episode = try await web.begin(.testing, context: "a task")
    _ = try await memory.episode(episode.id)
    let before = memory.cacheStatistics()[.episode]
    #expect(try await web.episode(episode.id) == episode)
    #expect(try await other.episode(episode.id) == nil)
    let after = memory.cacheStatistics()[.episode]
    #expect(after.hits == before.hits + 2 && after.misses == before.misses)
    try await memory.close()
  }

  @Test func `is told that an id is taken elsewhere in the words of one that is taken in its domain`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let (web, other) = (memory.domain("web"), memory.domain("other"))
    try await other.begin(.testing, context: "secret", id: "e")
    try await web.begin(.testing, context: "mine", id: "f")
    func refusal(_ id: Episode.ID, _ existing: Episode.ExistingPolicy? = nil) async -> String? {
      await failure {
        if let existing {
          try await web.insert([.sample(id, domain: "web")], existing: existing)
        } else {
          try await web.begin(.testing, context: "mine", id: id)
        }
      }?.message.replacing("\"\(id)\"", with: "ID")
    }
    let ordinary = try #require(await refusal("f"))
    #expect(await refusal("e") == ordinary)
    for policy in Episode.ExistingPolicy.allCases { #expect(await refusal("e", policy) == ordinary) }
    #expect(try await other.episode("e")?.context == "secret")
    let foreign = await failure { try await web.insert([.sample("g", domain: "other")]) }
    #expect(foreign?.code == .invalid)
    try await memory.close()
  }

  @Test func `learns no other domain's vectors, models or their lengths`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let (web, other) = (memory.domain("web"), memory.domain("other"))
    try await other.begin(.testing, context: "secret", id: "e")
    try await web.begin(.testing, context: "mine", id: "f")
    let vector = try await other.embed(.init(of: "e", content: "secret", vector: [1, 0, 0], model: "m"))
    try await other.complete("e")
    let refused = await failure { try await web.embed(.init(of: "f", content: "", vector: [1, 2], model: "m")) }
    #expect(refused?.code == .dimensionMismatch && refused?.message.contains("3") == false)
    for space in [nil, EmbeddingSpace(model: "m", dimensions: 2)] {
      #expect(try await web.recall(Query(vector: [1, 0], space: space, scope: .everything)).isEmpty)
    }
    let space = EmbeddingSpace(model: "m", dimensions: 3)
    #expect(try await web.embeddings(in: space).isEmpty)
    #expect(try await other.embeddings(in: space).map(\.id) == [vector.id])
    #expect(try await web.recall(Query(text: "secret", scope: .domain("other"))).isEmpty)
    #expect(try await web.search(Query(text: "secret", scope: .domain("other"))).isEmpty)
    #expect(try await other.recall("secret").map(\.episode.id) == ["e"])
    try await memory.close()
  }

  @Test func `reads a shared pattern that is linked to one of its episodes, and does not change it`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let (web, other) = (memory.domain("web"), memory.domain("other"))
    let episode = try await web.begin(.testing, context: "x")
    let shared = try await memory.record(.init(.optimization, data: ["x": 1]))
    #expect(await failure { try await web.link(shared.id, to: episode.id) }?.code == .notFound)
    try await memory.link(shared.id, to: episode.id)
    #expect(try await web.patterns().map(\.id) == [shared.id])
    #expect(try await web.patterns(of: episode.id).map(\.id) == [shared.id])
    #expect(await failure { try await web.markUsed(shared.id) }?.code == .conflict)
    #expect(await failure { try await web.delete(pattern: shared.id) }?.code == .conflict)
    #expect(await failure { try await other.markUsed(shared.id) }?.code == .notFound)
    #expect(try await !other.delete(pattern: shared.id))
    let own = try await web.record(.init(.optimization, data: ["x": 1]), from: episode.id)
    #expect(own.id != shared.id && own.domain == "web")
    #expect(try await web.markUsed(own.id).usageCount == 1)
    let foreign = await failure {
      try await web.record(.init(.optimization, data: [:], domain: "other"), from: episode.id)
    }
    #expect(foreign?.code == .invalid)
    #expect(try await memory.pattern(.optimization, data: ["x": 1])?.usageCount == 0)
    try await memory.close()
  }

  /// I8: shared patterns are stored under the empty name.
  @Test func `a handle without a name has no patterns, not even shared ones`() async throws {
    let memory = try await Memory.inMemory()
    let shared = try await memory.record(.init(.optimization, data: ["secret": 1]))
    let nameless = memory.domain("")
    #expect(try await nameless.patterns().isEmpty)
    #expect(try await nameless.patterns(.init(text: "secret")).isEmpty)
    #expect(try await nameless.delete(pattern: shared.id) == false)
    #expect(await failure { try await nameless.markUsed(shared.id) }?.code == .notFound)
    #expect(await failure { _ = try await nameless.pattern(.optimization, data: ["secret": 1]) }?.code == .invalid)
    #expect(try await memory.patterns(in: .everything).count == 1)
  }

  @Test func `tells the changes of its domain alone`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let (web, other) = (memory.domain("web"), memory.domain("other"))
    let start = try await web.changeCursor()
    for handle in [other, web, other, web] { try await handle.begin(.testing, context: "x") }
    var domains: [String?] = []
    for try await event in web.changes(after: start) {
      guard case .change(let change) = event else { continue }
      domains.append(change.domain)
      if domains.count == 2 { break }
    }
    #expect(domains == ["web", "web"])
    try await memory.close()
  }

  @Test func `is a value that a double can stand in for`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let agent: any AgentMemory = memory.domain("cafe\u{301}")
    #expect(agent.name == "caf\u{e9}")
    let attempt = 2
    let episode = try await agent.begin(.testing, context: "x", metadata: ["attempt": attempt])
    try await agent.append(.init("a step"), to: episode.id)
    try await agent.complete(episode.id)
    #expect(try await agent.episode(episode.id)?.metadata == ["attempt": 2])
    #expect(try await memory.episodes(in: .domain("caf\u{e9}")).elements.map(\.status) == [.completed])
    try await memory.close()
  }
}
