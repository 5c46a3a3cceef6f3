import Episodic
import Foundation
import TestSupport
import Testing

/// Secrets in every place where the engine keeps texts.
struct Secrets {
  let count: Int

  /// Of letters that Unicode writes in two ways.
  func text(_ number: Int) -> String { "sekr\u{e9}t-\(String(format: "%05d", number))-Zq\u{fc}9x" }
  var texts: [String] { (0..<count).map { text($0) } }

  /// Every eighth secret goes the same way.
  func record(in memory: Memory) async throws {
    for number in 0..<count {
      let secret = text(number)
      let id = Episode.ID("secret-\(number)")
      var draft = Episode.Draft(.debugging, domain: "private", context: "the login of user \(number) fails", id: id)
      var step = Step.Draft("curl https://example.org", result: "HTTP 200", tool: "shell")
      switch number % 8 {
      case 0: draft.context = "log in with the token \(secret) and look"
      case 1: step = Step.Draft("export TOKEN=\(secret)", result: "ok", tool: "shell")
      case 2:
        step = Step.Draft(
          "env", result: String(repeating: "PATH=/bin\n", count: 900) + "TOKEN=\(secret)", tool: "shell")
      case 3: draft.metadata = ["user": ["token": .string(secret)], "quote": .string("\"\(secret)\"")]
      case 4: draft.session = "session of \(secret)"
      case 7: draft.context = "the request with \(secret) fails"
      case 5: step = Step.Draft("call", result: "fine", tool: "tool-\(secret)")
      default: break
      }
      if number % 8 == 7 {
        _ = try await memory.begin(draft, idempotencyKey: "request with \(secret)")
      } else {
        _ = try await memory.begin(draft)
      }
      try await memory.append([Step.Draft("cd /tmp", result: "ok"), step], to: id)
      if number % 8 == 6 {
        let pattern = try await memory.record(
          Pattern.Draft(.errorResolution, data: ["fix": .string("use \(secret)")], successRate: 1))
        try await memory.link(pattern.id, to: id)
        var vector = [Float](repeating: 0.1, count: 16)
        vector[number % 16] = 1
        try await memory.embed(.init(of: id, content: "embedded \(secret)", vector: vector, model: "m"))
      }
      try await memory.complete(id)
      // Cached answers hold what they found.
      _ = try await memory.recall(Query(text: secret, scope: .everything))
      _ = try await memory.recall(Query(text: "login token \(number)", scope: .domain("private")))
      _ = try await memory.episode(id)
    }
  }
}

@Suite struct `A forgotten secret` {
  static let count = ProcessInfo.processInfo.environment["EPISODIC_SECRETS"].flatMap { Int($0) } ?? 40

  @Test func `is in no file of the store, and no process sees it, while four read and write`() async throws {
    let store = try Store()
    let secrets = Secrets(count: Self.count)
    let memory = try await store.open()
    try await memory.insert((0..<200).map { .sample(Episode.ID("kept-\($0)"), context: "kept \($0)", steps: ["keep"]) })
    try await secrets.record(in: memory)
    let bytes = ErasedBytes(directory: store.directory)
    #expect(try !bytes.files(under: store.path, with: secrets.texts).isEmpty)

    let list = store.directory.file("secrets")
    try (0..<secrets.count).map { "secret-\($0) \(secrets.text($0))\n" }.joined()
      .write(toFile: list, atomically: true, encoding: .utf8)
    let children = try (0..<4).map {
      try Child("StoreWorker", ["witness", store.path, "w\($0)", list], in: store.directory)
    }
    for child in children { try await child.waitForLines(1) }
    // One by one, then in groups; the last takes what is left.
    let groups: [(Erasure.Selection, Query.Scope)] =
      (0..<8).map { (.text(secrets.text($0)), .everything) } + [
        (.session("session of \(secrets.text(12))"), .everything),
        (.metadata(path: ["user", "token"], .string(secrets.text(11))), .everything),
        (.episodes((14..<18).map { Episode.ID("secret-\($0)") }), .domain("private")),
        (.text("SEKR\u{c9}T-0002", ignoringCase: true), .domain("private")),
        (.text("sekre\u{301}t-"), .everything),
      ]
    for (selection, scope) in groups {
      let receipt = try await memory.forget(selection, in: scope)
      #expect(receipt.pending == nil && receipt.cleanedAt != nil && receipt.counts.episodes > 0)
    }
    for number in 0..<secrets.count { #expect(try await memory.episode(Episode.ID("secret-\(number)")) == nil) }
    #expect(FileManager.default.createFile(atPath: store.directory.file("forgotten"), contents: nil))
    for child in children { try child.expectSuccess() }
    #expect(try bytes.files(under: store.path, with: secrets.texts) == [])

    #expect(try await memory.episode("kept-7")?.context == "kept 7")
    for receipt in try await memory.receipts() { #expect(try await memory.verify(receipt.id).holds) }
    try await memory.close()
    #expect(try bytes.files(under: store.path, with: secrets.texts) == [])
    try await Store.expectSoundness(of: store.path)
  }
}
