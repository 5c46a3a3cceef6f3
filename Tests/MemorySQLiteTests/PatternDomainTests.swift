import EpisodicMemory
import TestSupport
import Testing

@testable import MemorySQLite

/// I8: a pattern of one domain is not there for another.
@Suite struct `A pattern of a domain` {
  private static let data: JSON = ["use": "a lock"]

  @Test func `is another than the shared one and those of other domains with the same data`() async throws {
    let memory = try await Bench().memory
    let shared = try await memory.record(Pattern.Draft(.optimization, data: Self.data, metadata: ["of": "all"]))
    let web = try await memory.record(
      Pattern.Draft(.optimization, data: Self.data, domain: "web", successRate: 0.9, metadata: ["of": "web"]))
    let mail = try await memory.record(Pattern.Draft(.optimization, data: Self.data, domain: "mail"))
    #expect(Set([shared.id, web.id, mail.id]).count == 3)
    #expect(shared.domain == nil && web.domain == "web" && mail.metadata == [:] && mail.successRate == nil)
    let again = try await memory.record(Pattern.Draft(.optimization, data: Self.data, domain: "mail", successRate: 0.1))
    #expect(again.id == mail.id && again.successRate == 0.1)
    #expect(try await memory.pattern(.optimization, data: Self.data) == shared)
    #expect(try await memory.pattern(.optimization, data: Self.data, in: "web") == web)
    #expect(try await memory.pattern(.optimization, data: Self.data, in: "mail") == again)
    #expect(try await memory.pattern(.optimization, data: Self.data, in: "nowhere") == nil)
  }

  @Test func `is listed in its domain, linked or not, and a shared one where it is linked`() async throws {
    let memory = try await Bench().memory
    try await memory.insert([.sample("w", domain: "web"), .sample("m", domain: "mail")])
    let shared = try await memory.record(Pattern.Draft(.optimization, data: Self.data)).id
    let web = try await memory.record(Pattern.Draft(.optimization, data: Self.data, domain: "web")).id
    #expect(try await memory.patterns(in: .domain("web")).map(\.id) == [web])
    #expect(try await memory.patterns(in: .domain("mail")).isEmpty)
    try await memory.link(shared, to: "m")
    #expect(try await memory.patterns(in: .domain("web")).map(\.id) == [web])
    #expect(try await memory.patterns(in: .domain("mail")).map(\.id) == [shared])
    #expect(try await memory.patterns(in: .everything).count == 2)
  }

  @Test func `is not there for an episode of another domain, with the error of one that does not exist`() async throws {
    let memory = try await Bench().memory
    try await memory.insert([.sample("w", domain: "web"), .sample("m", domain: "mail")])
    let web = try await memory.record(Pattern.Draft(.optimization, data: Self.data, domain: "web")).id
    let refused = await #expect(throws: MemoryError.self) { try await memory.link(web, to: "m") }
    let missing = await #expect(throws: MemoryError.self) { try await memory.link("nobody", to: "m") }
    #expect(refused?.code == .notFound && missing?.code == .notFound)
    #expect(refused?.message == missing?.message.replacing("nobody", with: web.rawValue))
    #expect(try await memory.link(web, to: "w"))
    #expect(try await memory.patterns(of: "w").map(\.id) == [web])
  }

  @Test func `loses its link when another program moves the episode or links it across, which is refused`() async throws
  {
    let store = try TestStore()
    try await store.use { primary in
      let memory = Memory(primary: primary, cache: NoCache(because: "a test of the primary"))
      try await memory.insert([.sample("w", domain: "web"), .sample("m", domain: "mail")])
      let web = try await memory.record(Pattern.Draft(.optimization, data: Self.data, domain: "web")).id
      let shared = try await memory.record(Pattern.Draft(.optimization, data: Self.data)).id
      for id in [web, shared] { try await memory.link(id, to: "w") }
      #expect(throws: (any Error).self) {
        try store.otherProgram.run("INSERT INTO episode_patterns VALUES ('m', '\(web)')")
      }
      #expect(throws: (any Error).self) {
        try store.otherProgram.run("UPDATE episode_patterns SET episode_id = 'm' WHERE pattern_id = '\(web)'")
      }
      #expect(throws: (any Error).self) {
        try store.otherProgram.run("UPDATE patterns SET domain = 'mail' WHERE id = '\(web)'")
      }
      try store.otherProgram.run("UPDATE episodes SET domain = 'mail' WHERE id = 'w'")
      #expect(try await memory.patterns(of: "w").map(\.id) == [shared])
    }
    let findings = try await store.use { try await $0.failedChecks() }
    #expect(findings.isEmpty)
  }

  @Test func `is named in the feed with its domain, and a shared one without`() async throws {
    let bench = try await Bench()
    let before = try await bench.primary.statistics().watermark
    let web = try await bench.memory.record(Pattern.Draft(.optimization, data: Self.data, domain: "web"))
    try await bench.memory.record(Pattern.Draft(.optimization, data: Self.data))
    try await bench.memory.markUsed(web.id)
    try await bench.memory.delete(pattern: web.id)
    let changes = try await bench.primary.changes(after: before, limit: 10).changes
    let key = "optimization:\(web.dataHash)"
    #expect(changes.map(\.key) == [key + ":web", key, key + ":web", key + ":web"])
    #expect(changes.map(\.domain) == ["web", nil, "web", "web"])
  }

  @Test func `has a type that cannot be mistaken for a hash, and a domain with a name`() async throws {
    let memory = try await Bench().memory
    let type = PatternType("t:" + String(repeating: "0", count: 64))
    for draft in [Pattern.Draft(type, data: 1), Pattern.Draft(.optimization, data: 1, domain: "")] {
      let error = await #expect(throws: MemoryError.self) { try await memory.record(draft) }
      #expect(error?.code == .invalid)
    }
  }
}

@Suite struct `Patterns of an earlier schema` {
  @Test(arguments: 1..<Schema.migrations.count) func `keep their rows, numbers and links, and are shared`(
    _ version: Int
  ) async throws {
    let hashes = (1...3).map { JSON.integer($0).canonicalHash }
    let rows = zip(1..., hashes).map { number, hash in
      "(\(number * 10), 'p\(number)', 'optimization', '\(number)', '\(hash)', 0.\(number), \(number), '{\"n\": \(number)}', 1)"
    }
    let earlier = try await EarlierStore(
      version: version,
      then: """
        INSERT INTO patterns (seq, id, pattern_type, pattern_data, data_hash, success_rate, usage_count, metadata, created_at)
        VALUES \(rows.joined(separator: ", "));
        INSERT INTO episode_patterns VALUES ('e1', 'p1'), ('e2', 'p1'), ('e1', 'p3');
        """)
    try await earlier.store.use { primary in
      #expect(try await primary.failedChecks().isEmpty)
      #expect(try await primary.patterns(of: "e1").map(\.id) == ["p1", "p3"])
      #expect(try await primary.patterns(of: "e2").map(\.id) == ["p1"])
      let all = try await primary.patterns(.init(), in: .everything)
      #expect(all.map(\.id) == ["p3", "p2", "p1"] && all.allSatisfy { $0.domain == nil })
      #expect(all.map(\.usageCount) == [3, 2, 1] && all.first?.metadata == ["n": 3])
      // The old rows are indexed: replacing and deleting them takes their words out.
      let memory = Memory(primary: primary, cache: NoCache(because: "a test of the primary"))
      #expect(try await memory.delete(pattern: "p2"))
      #expect(try await primary.failedChecks().isEmpty)
    }
    #expect(try earlier.store.otherProgram.strings("SELECT seq || id FROM patterns ORDER BY seq") == ["10p1", "30p3"])
  }
}
