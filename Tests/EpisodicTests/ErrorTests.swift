import Episodic
import Foundation
import TestSupport
import Testing

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

@Suite struct `Errors` {
  typealias Verb = @Sendable (Memory) async throws -> Void

  static let writes: [(String, Verb)] = [
    ("begin", { _ = try await $0.begin(.init(.testing, domain: "d", context: "")) }),
    ("append", { _ = try await $0.append(Step.Draft("x"), to: "e") }),
    ("complete", { _ = try await $0.complete("e") }),
    ("fail", { _ = try await $0.fail("e") }),
    ("archive", { _ = try await $0.archive("e") }),
    ("reopen", { _ = try await $0.reopen("e") }),
    ("update", { _ = try await $0.update("e", with: .init(context: "x")) }),
    ("delete", { _ = try await $0.delete("e") }),
    ("insert", { _ = try await $0.insert([.sample("new")]) }),
    ("write", { _ = try await $0.write { batch in try batch.delete("e") } }),
    ("record", { _ = try await $0.record(.init(.optimization, data: [:])) }),
    ("link", { _ = try await $0.link("p", to: "e") }),
    ("unlink", { _ = try await $0.unlink("p", from: "e") }),
    ("markUsed", { _ = try await $0.markUsed("p") }),
    ("delete a pattern", { _ = try await $0.delete(pattern: "p") }),
    ("embed", { _ = try await $0.embed(.init(of: "e", content: "", vector: [1], model: "m")) }),
    ("embed several", { _ = try await $0.embed([.init(of: "e", content: "", vector: [1], model: "m")]) }),
    ("delete a vector", { _ = try await $0.delete(embedding: "v") }),
    ("optimize", { _ = try await $0.optimize() }),
    ("rebuild", { _ = try await $0.rebuild() }),
  ]

  static let reads: [(String, Verb)] = [
    ("episode", { _ = try await $0.episode("e") }),
    ("episodes", { _ = try await $0.episodes(in: .everything) }),
    ("recall", { _ = try await $0.recall(Query(text: "word", scope: .everything)) }),
    ("search", { _ = try await $0.search(Query(text: "word", scope: .everything)) }),
    ("pattern", { _ = try await $0.pattern(.optimization, data: [:]) }),
    ("patterns", { _ = try await $0.patterns(in: .everything) }),
    ("patterns of an episode", { _ = try await $0.patterns(of: "e") }),
    ("embeddings", { _ = try await $0.embeddings(of: "e") }),
    (
      "embeddings of a space",
      { _ = try await $0.embeddings(in: EmbeddingSpace(model: "m", dimensions: 1), scope: .everything) }
    ),
    ("statistics", { _ = try await $0.statistics() }),
    ("check", { _ = try await $0.check() }),
    ("changes", { for try await _ in $0.changes(after: .beginning, in: .everything) { break } }),
    ("episodes by id", { _ = try await $0.episodes(["e", "f"]) }),
    ("steps", { _ = try await $0.steps(of: "e1") }),
    ("a read of a domain", { _ = try await $0.domain("d").episode("e") }),
  ]

  @Test(arguments: [false, true]) func `every verb of a closed memory throws closed`(_ isReadOnly: Bool) async throws {
    let store = try Store()
    try await store.fill(2)
    let memory = try await store.open { $0.access = isReadOnly ? .readOnly : .readWrite }
    _ = try await memory.episode("e1")
    try await memory.close()
    for (name, verb) in Self.writes + Self.reads {
      let error = await failure { try await verb(memory) }
      #expect(error?.code == .closed, "\(name): \(error?.message ?? "no error")")
    }
  }

  @Test func `every write to a store that is open for reading only throws readOnly, and every read works`() async throws
  {
    let store = try Store()
    try await store.fill(2)
    let memory = try await store.open { $0.access = .readOnly }
    for (name, verb) in Self.writes {
      let error = await failure { try await verb(memory) }
      #expect(error?.code == .readOnly, "\(name): \(error?.message ?? "no error")")
    }
    for (_, verb) in Self.reads { try await verb(memory) }
    try await memory.close()
  }

  @Test func `what is larger than a limit throws limitExceeded and names both`() async throws {
    let store = try Store()
    let memory = try await store.open { $0.limits = Memory.Limits(fieldBytes: 1000, dimensions: 4, results: 10) }
    try await memory.insert([.sample("e", status: .active)])
    let long = String(repeating: "x", count: 1001)
    var deep: JSON = [:]
    for _ in 0..<300 { deep = ["a": deep] }
    let nested = deep
    let verbs: [(String, String, Verb)] = [
      ("1001", "1000", { _ = try await $0.append(Step.Draft("x", result: long), to: "e") }),
      ("1001", "1000", { _ = try await $0.begin(.init(.testing, domain: "d", context: long)) }),
      ("5", "4", { _ = try await $0.embed(.init(of: "e", content: "", vector: [1, 2, 3, 4, 5], model: "m")) }),
      ("11", "10", { _ = try await $0.episodes(in: .everything, limit: 11) }),
      ("11", "10", { _ = try await $0.recall(Query(text: "x", scope: .everything, limit: 11)) }),
      ("nested", "256", { _ = try await $0.update("e", with: .init(metadata: nested)) }),
      (
        "20000", "10,000",
        { _ = try await $0.recall(Query(text: "x", scope: .everything, ranking: .init(depth: 20_000))) }
      ),
    ]
    for (value, limit, verb) in verbs {
      let error = await failure { try await verb(memory) }
      #expect(error?.code == .limitExceeded, "\(error?.message ?? "no error")")
      #expect(
        error?.message.contains(value) == true && error?.message.contains(limit) == true, "\(String(describing: error))"
      )
    }
    let none = await failure { _ = try await memory.episodes(in: .everything, limit: 0) }
    #expect(none?.code == .invalid)
    try await memory.close()
  }

  @Test func `the page Errors lists every public code`() throws {
    let source = try Documentation.text("Sources/StoreValues/Values/MemoryError.swift")
    let codes = source.matches(of: /static let (\w+) = Code/).map { String($0.1) }
    let page = try Documentation.text("Sources/Episodic/Episodic.docc/Errors.md")
    let listed = page.matches(of: /(?m)^\| `(\w+)` \|/).map { String($0.1) }
    #expect(codes.sorted() == listed.sorted() && codes.count > 10)
  }

  /// A host program has no `--repair` and no verb `rebuild` to run.
  @Test func `no message of the library has words of the command line`() throws {
    let words =
      /--[a-z]|\bepisodic [a-z]|\b[Rr]un (check|rebuild|import|export|record)\b|import or record|\blist shows\b/
    for target in Layers.allowed.keys.sorted() where target != "EpisodicCLI" {
      for (file, text) in try Layers.files(of: target) {
        let code = text.replacing(/(?m)^\s*\/\/.*$/, with: "")
        for literal in code.matches(of: /"((?:[^"\\\n]|\\.)*)"/) + code.matches(of: /"""((?s:.*?))"""/)
        where literal.1.contains(words) && !literal.1.contains("CREATE ") && !literal.1.contains("SELECT ") {
          Issue.record("\(target)/\(file): \(literal.1)")
        }
      }
    }
  }
}
