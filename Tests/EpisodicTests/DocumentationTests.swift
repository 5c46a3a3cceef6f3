import Episodic
import Foundation
import TestSupport
import Testing

/// The examples of README and DocC, compiled and run; the first test compares the texts with this file.
@Suite struct `Documentation` {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  @Test(arguments: ["README.md", "Sources/Episodic/Episodic.docc/GettingStarted.md"])
  func `every Swift example in the documentation is in this file, where it is run`(_ path: String) throws {
    // Independent of line breaks.
    func dense(_ text: String) -> String {
      text.split(separator: "\n").filter { !$0.contains("import Episodic") && !$0.contains("let memory = ") }
        .joined().filter { !$0.isWhitespace }
    }
    let code = dense(try Self.text("Tests/EpisodicTests/DocumentationTests.swift"))
    let examples = try Self.text(path).components(separatedBy: "```swift\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    #expect(!examples.isEmpty)
    for example in examples where !dense(example).isEmpty {
      #expect(code.contains(dense(example)), "this example is run nowhere:\n\(example)")
    }
  }

  @Test func `the example of the README prints the documented output`() async throws {
    let store = try Store()
    let memory = try await store.open()
    var printed: [String] = []
    func print(_ items: Any...) { printed.append(items.map { "\($0)" }.joined(separator: " ")) }

    let login = try await memory.begin(.init(.debugging, domain: "web", context: "The login test fails on CI"))
    try await memory.append(
      .init("swift test --filter Login", result: "timed out after 30 s", success: false), to: login.id)
    try await memory.append(.init("wait for the server in setUp()", success: true), to: login.id)
    try await memory.complete(login.id)

    let question = Query(text: "why does the login time out", scope: .domain("web"), limit: 3, excerpts: true)
    for hit in try await memory.recall(question) {
      print(hit.score, hit.episode.status, hit.episode.context)
      for match in hit.matches { print("  step", match.step ?? 0, match.excerpt ?? "") }
    }

    #expect(printed.count == 3)
    #expect(printed.first?.hasSuffix("completed The login test fails on CI") == true)
    #expect(printed.dropFirst().contains { $0.contains("‹timed› ‹out›") || $0.contains("‹timed›") })
  }

  @Test func `the steps of Getting Started work in order`() async throws {
    let store = try Store()
    let memory = try await store.open()
    func embed(_ text: String) -> [Float] { text.contains("login") ? [1, 0.2] : [0.9, 0.3] }

    let episode = try await memory.begin(
      .init(.debugging, domain: "web", context: "The login test fails on CI", session: "release-4"))
    try await memory.append(.init("swift test", result: "1 failure", tool: "shell", success: false), to: episode.id)
    try await memory.append(.init("swift test", result: "passed", tool: "shell", success: true), to: episode.id)
    try await memory.complete(episode.id)

    let byWords = try await memory.recall(Query(text: "login failures", scope: .domain("web")))

    try await memory.embed(
      .init(of: episode.id, content: episode.context, vector: embed(episode.context), model: "mine"))
    let byMeaning = try await memory.recall(Query(vector: embed("cannot sign in"), scope: .everything))
    let byBoth = try await memory.recall(
      Query(text: "cannot sign in", vector: embed("cannot sign in"), scope: .everything, limit: 3))

    let again = try await memory.episode(episode.id)

    let pattern = try await memory.record(Pattern.Draft(.errorResolution, data: ["error": "timeout", "fix": "wait"]))
    try await memory.link(pattern.id, to: episode.id)
    try await memory.markUsed(pattern.id, succeeded: true)
    let best = try await memory.patterns(.init(type: .errorResolution, minimumSuccessRate: 0.5), in: .domain("web"))

    let hitRate = try await memory.statistics().cache[.episode].hitRate
    let problems = try await memory.check().filter { $0.outcome != .passed }

    for hits in [byWords, byMeaning, byBoth] { #expect(hits.map(\.episode.id) == [episode.id]) }
    #expect(again?.steps.count == 2)
    #expect(best.map(\.id) == [pattern.id])
    #expect(hitRate != nil && problems.isEmpty)
  }

  /// Memory.swift shows every verb on one screen.
  @Test func `Memory lists every public verb, and each where it says`() throws {
    let memory = try Self.text("Sources/EpisodicMemory/Memory.swift")
    #expect(memory.split(separator: "\n", omittingEmptySubsequences: false).count <= 60)
    let files = ["EpisodicMemory", "Interchange"].flatMap { target in
      (FileManager.default.enumerator(
        atPath: Self.root.appending(path: "Sources/\(target)").path(percentEncoded: false))?
        .compactMap { $0 as? String } ?? []).filter { $0.contains("Memory+") }.map { (target: target, file: $0) }
    }
    #expect(files.count >= 6)
    for (target, file) in files {
      let verbs = try Self.text("Sources/\(target)/\(file)").matches(of: /public func (\w+)/).map { String($0.1) }
      guard !verbs.isEmpty else { continue }
      let section = try #require(
        memory.components(separatedBy: "## ").first { $0.contains(file) }, "\(file) is not listed")
      for verb in verbs { #expect(section.contains("``\(verb)("), "\(verb) of \(file) is not listed") }
    }
  }
}
