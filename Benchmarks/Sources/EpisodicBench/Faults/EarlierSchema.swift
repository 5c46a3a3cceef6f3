import Crypto
import Foundation
import GRDB

/// Makes a primary as an earlier version left it: by the migrations of that version, and with rows of its time.
struct EarlierSchema {
  private static let applicationID = 0x4550_5344
  /// The schema that has neither full text nor a change feed: every later migration has rows to carry along.
  static let version = 2

  private let migrations: URL

  init(from file: String = #filePath) {
    migrations = URL(filePath: file).appending(path: "../../../../../migrations/memory").standardized
  }

  /// - Parameter words: By the id of the episode whose only step has the word.
  func make(at path: String, words: [String: String]) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: migrations.path(percentEncoded: false)).sorted()
    let database = try DatabaseQueue(path: path)
    try database.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA application_id = \(Self.applicationID)")
      try db.execute(
        sql: """
          CREATE TABLE schema_version (
              version     INTEGER PRIMARY KEY,
              applied_at  INTEGER NOT NULL,
              description TEXT    NOT NULL,
              checksum    TEXT    NOT NULL
          ) STRICT
          """)
      for (index, name) in names.prefix(Self.version).enumerated() {
        let sql = try Data(contentsOf: migrations.appending(path: name))
        try db.execute(sql: String(decoding: sql, as: UTF8.self))
        try db.execute(
          sql: "INSERT INTO schema_version VALUES (?, 1767225600000, ?, ?)",
          arguments: [
            index + 1, String(name.dropFirst(4).dropLast(4)).replacing("_", with: " "),
            SHA256.hash(data: sql).map { String(format: "%02x", $0) }.joined(),
          ])
      }
      for (id, word) in words.sorted(by: { $0.key < $1.key }) {
        try db.execute(
          sql: """
            INSERT INTO episodes (id, task_type, domain, context, status, created_at, completed_at)
            VALUES (?, 'testing', 'faults', 'kept by an earlier version', 'completed', 1767225600000, 1767225601000)
            """, arguments: [id])
        try db.execute(
          sql: """
            INSERT INTO steps (id, episode_id, step_number, action, timestamp) VALUES (? || '/1', ?, 1, ?, 1767225600000)
            """, arguments: [id, id, "true \(word)"])
      }
    }
    try database.close()
  }
}
