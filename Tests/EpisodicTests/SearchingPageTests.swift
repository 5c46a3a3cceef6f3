import Episodic
import Foundation
import TestSupport
import Testing

/// What the DocC page Searching says is found, and with which weights.
@Suite struct `Searching as the documentation says` {
  /// The cells of the rows of a table.
  private static func table(under heading: String) throws -> [[String]] {
    let page = try Documentation.text("Sources/Episodic/Episodic.docc/Searching.md")
    let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix(heading) }, "\(heading)")
    let rows = section.split(separator: "\n").filter { $0.hasPrefix("|") }.dropFirst(2)
    return rows.map { row in
      row.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
  }

  /// The code spans of a cell; `\e` is the escape character, `\u{...}` a character by its number.
  private static func spans(_ cell: String) -> [String] {
    cell.matches(of: /`([^`]+)`/).map { span in
      String(span.1).replacing("\\e", with: "\u{1B}").replacing(/\\u\{([0-9A-F]+)\}/) { character in
        UInt32(character.1, radix: 16).flatMap(Unicode.Scalar.init).map { String($0) } ?? ""
      }
    }
  }

  @Test(arguments: [false, true]) func `each text of the table is found by each of its questions`(isExact: Bool)
    async throws
  {
    let rows = try Self.table(under: "Which words are found")
    #expect(rows.count >= 20)
    let store = try Store()
    try await store.withMemory { memory in
      for (number, row) in rows.enumerated() {
        let text = try #require(Self.spans(row[1]).first)
        try await memory.insert([.sample(Episode.ID("e\(number)"), context: text, steps: [])])
      }
      for (number, row) in rows.enumerated() {
        for question in Self.spans(row[2]) {
          let hits = try await memory.search(Query(text: question, scope: .everything, limit: 1, isExact: isExact))
          #expect(hits.first?.id == Episode.ID("e\(number)"), "\(row[1]) by \(question)")
        }
      }
    }
  }

  @Test func `labels of an episode are found, names of members and other domains are not`() async throws {
    let memory = try await Memory.inMemory()
    let draft = Episode(
      id: "labelled", taskType: "schema_migration", domain: "a", session: "sprint-41", context: "nothing of note",
      status: .completed, createdAt: Timestamp(milliseconds: 0), completedAt: Timestamp(milliseconds: 1),
      metadata: ["tags": ["zebra", ["deep": "okapi"]], "giraffe": 7])
    try await memory.insert([draft])
    for question in ["sprint-41", "schema_migration", "migration", "zebra", "okapi"] {
      #expect(
        try await memory.search(Query(text: question, scope: .domain("a"))).map(\.id) == ["labelled"], "\(question)")
      #expect(try await memory.search(Query(text: question, scope: .domain("b"))).isEmpty, "\(question)")
    }
    for question in ["giraffe", "tags", "7"] {
      #expect(try await memory.search(Query(text: question, scope: .domain("a"))).isEmpty, "\(question)")
    }
  }

  @Test func `the table of signals lists every option of a ranking with its default`() throws {
    var documented: [String: String] = ["depth": "50"]
    for row in try Self.table(under: "How signals become one score") {
      guard let option = Self.spans(row[1]).first else { continue }
      documented[option] = row[2]
    }
    let defaults = Mirror(reflecting: Query.Ranking()).children.map { ($0.label ?? "", "\($0.value)") }
    #expect(documented == Dictionary(uniqueKeysWithValues: defaults))
    let page = try Documentation.text("Sources/Episodic/Episodic.docc/Searching.md")
    #expect(page.contains("`depth`, 50,"))
  }
}
