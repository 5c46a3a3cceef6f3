import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

/// A row written by another program, and the expected message.
struct ForeignRow: CustomTestStringConvertible, Sendable {
  let what: String
  let script: String
  /// The message of `check`; `nil` if the engine could have written the row.
  var reported: String? = "rows of other programs"

  var testDescription: String { what }

  private static func episode(_ columns: String, _ values: String) -> String {
    """
    INSERT INTO episodes (id, task_type, domain, context, status, created_at, \(columns))
    VALUES ('foreign', 't', 'web', 'common foreign', 'completed', 5, \(values))
    """
  }

  private static func step(_ columns: String, _ values: String) -> String {
    "INSERT INTO steps (id, episode_id, action, \(columns)) VALUES ('fs', 'e1', 'common action', \(values))"
  }

  private static func vector(_ model: String, _ vector: String = "x'0000803f00000000'") -> String {
    """
    INSERT INTO embeddings (id, episode_id, content, embedding, model_name, dimensions, created_at)
    VALUES ('fm', 'e1', '', \(vector), \(model), length(\(vector)) / 4, 1)
    """
  }

  private static func name(_ column: String, _ value: String) -> String {
    "INSERT INTO episodes (id, task_type, domain, session, context, status, created_at) "
      + [
        "id": "VALUES (\(value), 't', 'web', 's'", "task_type": "VALUES ('foreign', \(value), 'web', 's'",
        "domain": "VALUES ('foreign', 't', \(value), 's'", "session": "VALUES ('foreign', 't', 'web', \(value)",
      ][column, default: ""]
      + ", 'common foreign', 'completed', 5)"
  }

  private static let noUTF8 = "CAST(x'61FF62' AS TEXT)"
  /// In NFD; and a character whose NFC is another, shorter one.
  private static let decomposed = ["CAST(x'65CC81' AS TEXT)", "CAST(x'E284AB' AS TEXT)"]
  private static let nul = "CAST(x'610062' AS TEXT)"

  static let all: [ForeignRow] =
    ([noUTF8, nul, "CAST(x'FFFE' AS TEXT)"] + decomposed).flatMap { value in
      [ForeignRow(what: "model \(value)", script: vector(value))]
        + ["id", "task_type", "domain", "session"].map { column in
          ForeignRow(what: "\(column) \(value)", script: name(column, value))
        }
    }
    + [
      #"{"a":1,"a":2}"#, #"{"a":99999999999999999999999}"#, #"{"a":-1e999}"#, #"{"a":"\ud800"}"#, #"{"a":"\u0000"}"#,
      #"{"a":"# + String(repeating: "[", count: 900) + String(repeating: "]", count: 900) + "}",
    ].map { json in ForeignRow(what: "metadata \(json.prefix(30))", script: episode("metadata", "'\(json)'")) }
    + [
      ForeignRow(
        what: "metadata that is not UTF-8",
        script: episode("metadata", "CAST(CAST('{\"a\":\"' AS BLOB) || x'FF' || CAST('\"}' AS BLOB) AS TEXT)")),
      ForeignRow(
        what: "metadata that is no object",
        script: "PRAGMA ignore_check_constraints = ON; " + episode("metadata", "'[1]'"), reported: "integrity"),
      ForeignRow(
        what: "a status that is none",
        script: "PRAGMA ignore_check_constraints = ON; "
          + episode("metadata", "'{}'").replacing("'completed'", with: "'done'"),
        reported: "integrity"),
      ForeignRow(
        what: "an action that is not UTF-8", script: step("step_number, timestamp, result", "9, 1, \(noUTF8)")),
      ForeignRow(what: "a result with NUL", script: step("step_number, timestamp, result", "9, 1, \(nul)")),
      ForeignRow(
        what: "the highest step number",
        script: step("step_number, timestamp, duration_ms", "9223372036854775807, 1, 9223372036854775807"),
        reported: nil),
      ForeignRow(
        what: "times at the ends of 64 bits",
        script: step("step_number, timestamp", "9, 9223372036854775807") + "; "
          + episode("completed_at", "9223372036854775807").replacing(", 5, ", with: ", -9223372036854775808, ")),
      ForeignRow(
        what: "a row at the end of 64 bits", script: episode("seq", "9223372036854775807"), reported: nil),
      ForeignRow(what: "a vector that is no number", script: vector("'m'", "x'0000C07F00000000'"), reported: "vectors"),
      ForeignRow(what: "a vector of zeros", script: vector("'m'", "x'0000000000000000'"), reported: "vectors"),
      ForeignRow(what: "a vector of infinity", script: vector("'m'", "x'0000807F00000000'"), reported: "vectors"),
    ]
}

@Suite struct `A row of another program` {
  @Test(.timeLimit(.minutes(5)), arguments: ForeignRow.all)
  func `makes no verb fail, hides no other row, and is named by check`(_ row: ForeignRow) async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert(
        (1...3).map { number in
          .sample(Episode.ID("e\(number)"), domain: "web", context: "common token\(number)", steps: ["run it"])
        },
        embeddings: [Embedding.Draft(of: "e2", content: "", vector: [0.6, 0.8], model: "m")])
    }
    let shell = try DatabaseQueue(path: store.path + "/memory.sqlite")
    try await shell.writeWithoutTransaction { db in try db.execute(sql: row.script) }
    try shell.close()
    try await store.withMemory { memory in
      try await memory.rebuild()
      let page = try await memory.episodes(in: .everything, limit: 10)
      #expect(Set(page.elements.map(\.id)).isSuperset(of: ["e1", "e2", "e3"]))
      _ = try await memory.statistics()
      for isExact in [false, true] {
        let words = try await memory.recall(Query(text: "common", scope: .everything, isExact: isExact))
        #expect(Set(words.map(\.episode.id)).isSuperset(of: ["e1", "e2", "e3"]), "exact: \(isExact)")
        let space = EmbeddingSpace(model: "m", dimensions: 2)
        let near = try await memory.recall(Query(vector: [1, 0], space: space, scope: .everything, isExact: isExact))
        #expect(near.map(\.episode.id).first == "e2", "exact: \(isExact)")
      }
      let output = store.directory.file("export.jsonl")
      let count = try await memory.exportEpisodes(to: .file(output))
      #expect(count == page.elements.count)
      let updated = try await memory.update("e1", with: .init(context: "common changed"))
      #expect(updated.context == "common changed")
      let findings = try await memory.check().filter { $0.outcome != .passed }
      if let reported = row.reported {
        #expect(findings.contains { $0.name.hasPrefix(reported) }, "\(findings)")
      } else {
        #expect(findings.isEmpty, "\(findings)")
      }
    }
  }
}
