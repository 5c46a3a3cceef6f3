import EpisodicMemory
import Foundation
import GRDB
import TestSupport
import Testing

@testable import MemorySQLite

/// A closed store with one row of each kind, whose values can be found in the file, and bits flipped in it.
private struct FlippedStore {
  let store: TestStore

  static let words = "Zebracrossing with Giraffeneck"

  init() async throws {
    store = try TestStore()
    try await store.use { primary in
      var episode = Episode.sample("the-episode", domain: "Domainname", context: "Contextword of the episode")
      episode.session = "Sessionname"
      episode.metadata = ["key": "Metadatavalue"]
      episode.successRate = 0.7310585786300049
      episode.steps = [
        Step(
          id: "the-step", number: 1, action: "Actionword here", result: "Resultword here", tool: "Toolword",
          duration: .milliseconds(0x0102_0304_0506), success: true,
          timestamp: Timestamp(milliseconds: 1_700_000_000_123))
      ]
      let embedding = Embedding(
        id: "the-embedding", episodeID: "the-episode", stepID: nil, content: "Embeddedcontent",
        vector: [0.123_456_79, 0.987_654_3], model: "Modelname", createdAt: Timestamp(milliseconds: 1_711_111_111_123))
      _ = try await primary.insert([episode], embeddings: [embedding], existing: .fail)
      let data: JSON = ["use": "Patternvalue"]
      _ = try await primary.record(
        Pattern(
          id: "the-pattern", type: "Patterntype", data: data, dataHash: data.canonicalHash, successRate: nil,
          usageCount: 0, lastUsed: nil, createdAt: Timestamp(milliseconds: 1_722_222_222_123),
          metadata: ["note": "Patternnote"]))
    }
    // Checkpointed into the database file.
    try store.otherProgram.run("PRAGMA wal_checkpoint(TRUNCATE)")
  }

  /// Flips a bit in the first occurrence of `bytes` where that changes the result of a query.
  ///
  /// - Returns: False if no occurrence does.
  func flip(_ bit: Int, of bytes: [UInt8], at offset: Int = 0, read query: String) throws -> Bool {
    let file = URL(filePath: store.path)
    let whole = try Data(contentsOf: file)
    let before = try store.otherProgram.strings(query)
    var from = whole.startIndex
    while let found = whole[from...].firstRange(of: bytes) {
      var damaged = whole
      damaged[found.lowerBound + offset] ^= 1 << UInt8(bit)
      try damaged.write(to: file)
      if try store.otherProgram.strings(query) != before { return true }
      try whole.write(to: file)
      from = found.upperBound
    }
    return false
  }
}

@Suite struct `A flipped bit in the database file` {
  static let texts: [(column: String, word: String, query: String)] = [
    ("context", "Contextword", "SELECT hex(context) FROM episodes NOT INDEXED"),
    ("action", "Actionword", "SELECT hex(action) FROM steps NOT INDEXED"),
    ("result", "Resultword", "SELECT hex(result) FROM steps NOT INDEXED"),
  ]

  /// Bit 5 changes the case of a letter, which gives the same word.
  @Test(arguments: texts, 0..<8)
  func `in a text is reported as damage of the row, not of an index, and rebuild refuses`(
    _ text: (column: String, word: String, query: String), _ bit: Int
  ) async throws {
    let flipped = try await FlippedStore()
    // The second letter, so that the bytes of the word are found in the table and not in the lower-case index.
    let isFlipped = try flipped.flip(bit, of: Array(text.word.utf8), at: 1, read: text.query)
    try #require(isFlipped)
    let damaged = try flipped.store.otherProgram.strings(text.query)
    try await flipped.store.use { primary in
      let findings = try await primary.failedChecks()
      if bit == 5 {
        // A capital inside a word cuts an identifier.
        #expect(Array(findings.keys) == ["words added to texts"])
        return
      }
      let name = "full text of " + (text.column == "context" ? "episodes" : "steps")
      guard case .damaged(let reason)? = findings[name] else {
        Issue.record("bit \(bit) of \(text.column): \(findings)")
        return
      }
      #expect(reason.contains("\"the-episode\"") && reason.contains("compare with a backup"), "\(reason)")
      let refused = await failure { try await primary.rebuildTextIndexes(acceptingTexts: false) }
      #expect(refused?.code == .corrupted)
      let write = await failure { try await primary.insert(.sample("new")) }
      #expect(write?.code == .corrupted)
      #expect(try await primary.failedChecks()[name] == findings[name])
    }
    #expect(try flipped.store.otherProgram.strings(text.query) == damaged)
    // A later process does not write either, until the texts are accepted and a check passes.
    try await flipped.store.use { primary in
      let write = await failure { try await primary.insert(.sample("new")) }
      #expect(bit == 5 || write?.code == .corrupted)
      try await primary.rebuildTextIndexes(acceptingTexts: true)
      _ = try await primary.failedChecks()
      try await primary.insert(.sample("newer"))
    }
  }

  /// `rebuild` compares text and index first, because the index may be the only evidence.
  @Test func `in a text makes rebuild refuse, even without a check before it`() async throws {
    let flipped = try await FlippedStore()
    #expect(try flipped.flip(0, of: Array("Actionword".utf8), at: 1, read: Self.texts[1].query))
    try await flipped.store.use { primary in
      let refused = await failure { try await primary.rebuildTextIndexes(acceptingTexts: false) }
      #expect(refused?.code == .corrupted && refused?.message.contains("step 1 of episode \"the-episode\"") == true)
    }
  }

  /// As documented in `OtherPrograms.md` per column: an index, a hash or a constraint detects the damage, or nothing does.
  static let columns: [(column: String, bytes: [UInt8], query: String, isSeen: Bool)] = [
    ("episodes.id", Array("the-episode".utf8), "SELECT hex(id) FROM episodes NOT INDEXED", true),
    ("episodes.domain", Array("Domainname".utf8), "SELECT hex(domain) FROM episodes NOT INDEXED", true),
    ("episodes.session", Array("Sessionname".utf8), "SELECT hex(session) FROM episodes NOT INDEXED", true),
    ("episodes.status", Array("completed".utf8), "SELECT hex(status) FROM episodes NOT INDEXED", true),
    ("episodes.created_at", integerBytes(1_767_225_600_000), "SELECT created_at FROM episodes NOT INDEXED", true),
    ("episodes.completed_at", integerBytes(1_767_225_601_000), "SELECT completed_at FROM episodes NOT INDEXED", true),
    (
      "episodes.success_rate", realBytes(0.7310585786300049),
      "SELECT printf('%!.20g', success_rate) FROM episodes NOT INDEXED", false
    ),
    ("episodes.metadata", Array("Metadatavalue".utf8), "SELECT hex(metadata) FROM episodes NOT INDEXED", true),
    ("steps.id", Array("the-step".utf8), "SELECT hex(id) FROM steps NOT INDEXED", true),
    ("steps.episode_id", Array("the-episode".utf8), "SELECT hex(episode_id) FROM steps NOT INDEXED", true),
    ("steps.tool", Array("Toolword".utf8), "SELECT hex(tool) FROM steps NOT INDEXED", true),
    ("steps.duration_ms", integerBytes(0x0102_0304_0506), "SELECT duration_ms FROM steps NOT INDEXED", false),
    ("steps.timestamp", integerBytes(1_700_000_000_123), "SELECT timestamp FROM steps NOT INDEXED", false),
    ("embeddings.id", Array("the-embedding".utf8), "SELECT hex(id) FROM embeddings NOT INDEXED", true),
    ("embeddings.model_name", Array("Modelname".utf8), "SELECT hex(model_name) FROM embeddings NOT INDEXED", true),
    ("embeddings.content", Array("Embeddedcontent".utf8), "SELECT hex(content) FROM embeddings NOT INDEXED", false),
    ("embeddings.embedding", vectorBytes(0.987_654_3), "SELECT hex(embedding) FROM embeddings NOT INDEXED", false),
    ("embeddings.created_at", integerBytes(1_711_111_111_123), "SELECT created_at FROM embeddings NOT INDEXED", false),
    ("patterns.pattern_type", Array("Patterntype".utf8), "SELECT hex(pattern_type) FROM patterns NOT INDEXED", true),
    ("patterns.pattern_data", Array("Patternvalue".utf8), "SELECT hex(pattern_data) FROM patterns NOT INDEXED", true),
    ("patterns.metadata", Array("Patternnote".utf8), "SELECT hex(metadata) FROM patterns NOT INDEXED", false),
    ("patterns.created_at", integerBytes(1_722_222_222_123), "SELECT created_at FROM patterns NOT INDEXED", false),
  ]

  @Test(arguments: columns) func `in any other column is detected by check, or not, as documented`(
    _ column: (column: String, bytes: [UInt8], query: String, isSeen: Bool)
  ) async throws {
    let flipped = try await FlippedStore()
    let last = column.bytes.count - 1
    try #require(try flipped.flip(0, of: column.bytes, at: last, read: column.query))
    let findings = try await flipped.store.use { primary in try await primary.failedChecks() }
    #expect(findings.isEmpty == !column.isSeen, "\(column.column): \(findings)")
  }

  @Test func `is documented for every column of the test`() throws {
    let article = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../../Sources/Episodic/Episodic.docc/OtherPrograms.md")
    let lines = try String(contentsOf: article, encoding: .utf8).split(separator: "\n")
    let seen = lines.first { $0.hasPrefix("| seen |") } ?? ""
    let unseen = lines.first { $0.hasPrefix("| not seen |") } ?? ""
    for column in Self.columns {
      #expect((column.isSeen ? seen : unseen).contains("`\(column.column)`"), "\(column.column)")
    }
  }

  fileprivate static func integerBytes(_ value: Int64) -> [UInt8] {
    // Such a value takes 6 bytes in a record.
    withUnsafeBytes(of: value.bigEndian) { Array($0.suffix(6)) }
  }

  fileprivate static func realBytes(_ value: Double) -> [UInt8] {
    withUnsafeBytes(of: value.bitPattern.bigEndian) { Array($0) }
  }

  fileprivate static func vectorBytes(_ value: Float) -> [UInt8] {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }
}

@Suite struct `A full-text index that is wrong` {
  static let faults = [
    // A row that the index lacks.
    "INSERT INTO steps_text (steps_text, rowid, action, result, tool) SELECT 'delete', seq, action, result, tool FROM steps WHERE seq = 1",
    // A row that the table lacks.
    "INSERT INTO steps_text (rowid, action) VALUES (99, 'phantom')",
    // No row.
    "INSERT INTO steps_text (steps_text) VALUES ('delete-all')",
    "DELETE FROM episodes_text_data WHERE id > 10",
  ]

  @Test(arguments: faults) func `is a failed check and not damage, and rebuild repairs it`(_ fault: String)
    async throws
  {
    let store = try TestStore()
    try await store.fill()
    try store.otherProgram.run(fault)
    try await store.use { primary in
      let findings = try await primary.failedChecks()
      #expect(findings.keys.contains { $0.hasPrefix("full text of") })
      for case .damaged(let reason) in findings.values { Issue.record("\(reason)") }
      try await primary.insert(.sample("new", steps: ["x"]))
      try await primary.rebuildTextIndexes(acceptingTexts: false)
      #expect(try await primary.failedChecks().isEmpty)
    }
  }

  /// A text changed without its trigger leaves two versions, and it is unknown which is right.
  @Test func `about a text that changed without its trigger is reported as a disagreement`() async throws {
    let store = try TestStore()
    try await store.fill()
    let trigger = try #require(try WholeSchema.triggers().first { $0.name == "steps_text_update" })
    try store.otherProgram.run(
      "DROP TRIGGER steps_text_update; UPDATE steps SET action = 'zebras' WHERE id = 'a/2'; \(trigger.sql)")
    try await store.use { primary in
      guard case .damaged(let reason)? = try await primary.failedChecks()["full text of steps"] else {
        Issue.record("no finding")
        return
      }
      #expect(reason.contains("step 2 of episode \"a\""))
    }
  }
}
