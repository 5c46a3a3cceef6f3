import EpisodicMemory
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `Patterns are found` {
  private static func record(_ memory: Memory, _ data: [JSON], domain: String? = nil) async throws -> [Pattern.ID] {
    var ids: [Pattern.ID] = []
    for data in data {
      ids.append(try await memory.record(Pattern.Draft(.errorResolution, data: data, domain: domain)).id)
    }
    return ids
  }

  @Test func `by words of names and values, the better match first, then by success`() async throws {
    let memory = try await Bench().memory
    let ids = try await Self.record(
      memory,
      [
        ["error": "connection timed out", "fix": "wait for the server"], ["error": "timeout", "retries": 3],
        ["steps": ["grep", "sed"], "note": ["deep": ["inside": "a Server room"]]], [1, true, nil],
      ])
    func found(_ text: String) async throws -> [Pattern.ID] {
      try await memory.patterns(.init(text: text), in: .everything).map(\.id)
    }
    let servers = try await found("servers")
    #expect(Set(servers) == [ids[0], ids[2]])
    #expect(try await found("retries") == [ids[1]])
    #expect(try await found("GREP") == [ids[2]])
    #expect(try await found("3") == [ids[1]])
    #expect(try await found("wait server").first == ids[0])
    #expect(try await found("true").isEmpty)
    #expect(try await found("null").isEmpty)
    let twins = try await Self.record(memory, [["x": "unusual"], ["y": "unusual"]])
    try await memory.markUsed(twins[1], succeeded: true)
    #expect(try await found("unusual") == [twins[1], twins[0]])
    let error = await #expect(throws: MemoryError.self) { try await found("--") }
    #expect(error?.code == .invalid)
  }

  static let parts: [(part: JSON, found: Set<Int>)] = [
    (["tool": "grep"], [0, 1]), (["tool": "Grep"], []), (["args": ["-n"]], [0, 1]), (["args": ["-r", "-n"]], [1]),
    (["nested": ["limit": 30]], [0]), (["nested": ["limit": .number(30.0)]], [0]), ([:], [0, 1, 2]),
    (["tool": nil], [2]), ([], [3]), ([2], [3]), ([["a": 1]], [3]), ("sed", [4]), (["name": "café"], [2]),
    (["missing": nil], []), (true, []),
  ]

  @Test(arguments: parts.indices) func `by a part of their data`(_ index: Int) async throws {
    let memory = try await Bench().memory
    let ids = try await Self.record(
      memory,
      [
        ["tool": "grep", "args": ["-n"], "nested": ["limit": 30, "other": [1, 2]]],
        ["tool": "grep", "args": ["-n", "-r"]], ["tool": nil, "name": "café"], [1, 2, ["a": 1, "b": 2]], "sed",
      ])
    let (part, expected) = Self.parts[index]
    let found = try await memory.patterns(.init(data: part), in: .everything)
    #expect(Set(found.map(\.id)) == Set(expected.map { ids[$0] }), "\(part)")
  }

  @Test func `by episode, in a domain only by those of its episodes`() async throws {
    let memory = try await Bench().memory
    try await memory.insert([.sample("w", domain: "web"), .sample("m", domain: "mail")])
    let shared = try await Self.record(memory, [["a": "word"], ["b": "word"]])
    let web = try await Self.record(memory, [["c": "word"]], domain: "web")
    for id in shared + web { try await memory.link(id, to: "w") }
    try await memory.link(shared[0], to: "m")
    func found(_ episode: Episode.ID, _ scope: Query.Scope) async throws -> Set<Pattern.ID> {
      Set(try await memory.patterns(.init(text: "word", episode: episode), in: scope).map(\.id))
    }
    #expect(try await found("w", .everything) == Set(shared + web))
    #expect(try await found("w", .domain("web")) == Set(shared + web))
    #expect(try await found("m", .domain("mail")) == [shared[0]])
    // I8: which patterns an episode of another domain has is not told.
    #expect(try await found("w", .domain("mail")).isEmpty)
    #expect(Set(try await memory.patterns(.init(text: "word"), in: .domain("mail")).map(\.id)) == [shared[0]])
  }
}

/// Full text of patterns survives what other programs do.
@Suite struct `The words of patterns` {
  static let row = "patterns (id, pattern_type, pattern_data, data_hash, created_at) VALUES"
  static let hash = String(repeating: "0", count: 64)
  static let scripts = [
    "INSERT OR REPLACE INTO \(row) ('p', 'other', '[\"zebra\"]', '\(hash)', 1)",
    """
    INSERT OR REPLACE INTO \(row) ('q', 'error_resolution', '["zebra"]', '\(TestStore.patternData.canonicalHash)', 1)
    """,
    "INSERT OR IGNORE INTO \(row) ('p', 'other', '[\"zebra\"]', '\(hash)', 1)",
    "INSERT INTO \(row) ('p', 'other', '1', '\(hash)', 1) ON CONFLICT (id) DO UPDATE SET pattern_data = '\"zebra\"'",
    "UPDATE patterns SET pattern_data = '{\"zebra\": 0.25}'", "DELETE FROM patterns",
    "UPDATE OR IGNORE patterns SET pattern_data = 'no json'",
    "INSERT INTO \(row) ('q', 'a', '[\"zebra\"]', '\(hash)', 1), ('r', 'b', '{}', '\(hash)', 1)",
  ]

  @Test(arguments: scripts, [(false, false), (false, true), (true, false), (true, true)])
  func `are indexed whatever SQL any program runs with any settings`(
    _ sql: String, _ settings: (foreignKeys: Bool, recursiveTriggers: Bool)
  ) async throws {
    let store = try TestStore()
    try await store.fill()
    let program = OtherProgram(path: store.path, foreignKeys: settings.foreignKeys)
    // An UPDATE to what is no JSON is refused as a whole or row by row.
    do {
      try program.run("PRAGMA recursive_triggers = \(settings.recursiveTriggers ? "ON" : "OFF"); \(sql)")
    } catch {
      #expect(sql.contains("no json"))
    }
    try await store.use { primary in
      let findings = try await primary.failedChecks().filter { $0.key != "rows of other programs" }
      #expect(findings.isEmpty, "\(sql): \(findings)")
      let zebras = try await primary.patterns(.init(text: "zebra"), in: .everything)
      let stored = try store.otherProgram.strings("SELECT id FROM patterns WHERE pattern_data LIKE '%zebra%'")
      #expect(Set(zebras.map(\.id.rawValue)) == Set(stored), "\(sql)")
    }
  }

  @Test(arguments: [
    "UPDATE patterns_words SET words = 'zebra'", "DELETE FROM patterns_words",
    "INSERT INTO patterns_text (rowid, words) VALUES (99, 'zebra')",
    "INSERT INTO patterns_text (patterns_text, rowid, words) SELECT 'delete', seq, words FROM patterns_words",
  ])
  func `that are not those of the data are found by check and made again by rebuild`(_ sql: String) async throws {
    let store = try TestStore()
    try await store.fill()
    try store.otherProgram.run(sql)
    try await store.use { primary in
      let findings = try await primary.failedChecks()
      #expect(!findings.isEmpty)
      for outcome in findings.values {
        guard case .failed(let reason) = outcome else {
          Issue.record("\(outcome)")
          continue
        }
        #expect(reason.contains("rebuild"))
      }
      try await primary.rebuildTextIndexes(acceptingTexts: false)
      #expect(try await primary.failedChecks().isEmpty)
      #expect(try await primary.patterns(.init(text: "lock"), in: .everything).map(\.id) == ["p"])
    }
  }
}
