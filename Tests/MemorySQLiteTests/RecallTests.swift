import EpisodicMemory
import Foundation
import Logging
import MemorySQLite
import TestSupport
import Testing

/// A memory over a SQLite primary in a directory of its own, without a cache.
struct Bench {
  let directory: TemporaryDirectory
  let primary: SQLitePrimaryStore
  let memory: Memory
  let clock = ManualClock()

  init(durability: Durability = .normal) async throws {
    directory = try TemporaryDirectory()
    primary = try await SQLitePrimaryStore(
      path: directory.file("memory.sqlite"), durability: durability, logger: Logger(label: "test"))
    memory = Memory(primary: primary, cache: NoCache(because: "a test of the primary"), clock: clock)
  }
}

@Suite struct `Recall by words` {
  @Test func `a word of the context or of a step finds the episode, and the hit says where`() async throws {
    let bench = try await Bench()
    try await bench.memory.insert([
      .sample("a", context: "repair the login form", steps: ["swift test", "grep timeout"]),
      .sample("b", context: "write release notes", steps: ["git log"]),
    ])
    let byContext = try await bench.memory.recall(Query(text: "logins", scope: .everything))
    #expect(byContext.map(\.episode.id) == ["a"])
    #expect(byContext.first?.matches == [Hit.Match(step: nil, excerpt: "repair the ‹login› form")])
    let byStep = try await bench.memory.recall(Query(text: "what about the timeouts", scope: .everything))
    #expect(byStep.first?.matches == [Hit.Match(step: 2, excerpt: "grep ‹timeout›")])
  }

  @Test(arguments: ["caf\u{E9}", "cafe\u{301}", "\u{1100}\u{1161}", "\u{AC00}"])
  func `composed and decomposed spellings find each other`(_ word: String) async throws {
    let bench = try await Bench()
    try await bench.memory.insert([
      .sample("composed", context: word.precomposedStringWithCanonicalMapping),
      .sample("decomposed", context: word.decomposedStringWithCanonicalMapping),
    ])
    let hits = try await bench.memory.recall(Query(text: word, scope: .everything))
    #expect(Set(hits.map(\.episode.id)) == ["composed", "decomposed"])
    let prefixed = try await bench.memory.recall(Query(prefixes: [word], scope: .everything))
    #expect(Set(prefixed.map(\.episode.id)) == ["composed", "decomposed"])
  }
}
