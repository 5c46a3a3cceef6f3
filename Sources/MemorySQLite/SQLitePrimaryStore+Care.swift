public import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage
import Vectors

extension SQLitePrimaryStore {
  public func statistics() async throws(MemoryError) -> PrimaryStatistics {
    let bytes = database.bytesOnDisk
    return try await readRows { db in
      func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT \(sql)") ?? 0 }
      var episodes: [Episode.Status: Int] = [:]
      for row in try Row.fetchAll(db, sql: "SELECT status, count(*) FROM episodes GROUP BY status") {
        if let status = Episode.Status(rawValue: row[0]) { episodes[status] = row[1] }
      }
      let spaces = try Row.fetchAll(
        db, sql: "SELECT model_name, dimensions, count(*) FROM embeddings GROUP BY model_name, dimensions")
      return PrimaryStatistics(
        episodes: episodes, steps: try count("count(*) FROM steps"), patterns: try count("count(*) FROM patterns"),
        domains: try count("count(DISTINCT domain) FROM episodes"),
        spaces: spaces.map { .init(model: $0[0], dimensions: $0[1], vectors: $0[2]) }, bytes: bytes,
        watermark: try SQLiteSnapshot.watermark(db), schemaVersion: try count("max(version) FROM schema_version"))
    }
  }

  public func check() async throws(MemoryError) -> [Check] {
    var checks: [Check] = []
    do {
      checks = try await readRows { db in
        [
          try Self.checkIntegrity(db), try Self.checkForeignKeys(db), try Self.checkFeed(db),
          try Self.checkVectors(db),
        ]
      }
    } catch let error where error.code == .corrupted {
      return [Check("integrity of the database", .damaged(error.message))]
    }
    checks.append(try await checkText("full text of episodes", index: "episodes_text"))
    checks.append(try await checkText("full text of steps", index: "steps_text"))
    return checks
  }

  public func rebuildTextIndexes() async throws(MemoryError) {
    try await write { db in
      try db.execute(
        sql: """
          INSERT INTO episodes_text (episodes_text) VALUES ('rebuild');
          INSERT INTO steps_text (steps_text) VALUES ('rebuild');
          """)
    }
  }

  public func optimizeTextIndexes() async throws(MemoryError) {
    try await write { db in
      try db.execute(
        sql: """
          INSERT INTO episodes_text (episodes_text) VALUES ('optimize');
          INSERT INTO steps_text (steps_text) VALUES ('optimize');
          """)
    }
  }

  // MARK: Checks

  private static func checkIntegrity(_ db: Database) throws -> Check {
    let findings = try String.fetchAll(db, sql: "PRAGMA integrity_check(5)")
    let isSound = findings == ["ok"]
    return Check(
      "integrity of the database",
      isSound ? .passed : .damaged("\(findings.joined(separator: "; ")): restore a backup, or use sqlite3 .recover"))
  }

  private static func checkForeignKeys(_ db: Database) throws -> Check {
    let orphans = try Row.fetchAll(db, sql: "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1")
    let list = orphans.map { "\($0[1] as Int) rows of \($0[0] as String)" }.joined(separator: ", ")
    return Check(
      "foreign keys",
      orphans.isEmpty ? .passed : .damaged("\(list) belong to nothing: another program deleted what they refer to"))
  }

  /// Revisions only grow, also when the last ones are deleted: who follows the feed would take new ones for known.
  private static func checkFeed(_ db: Database) throws -> Check {
    let sequence = try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'changes'") ?? 0
    let last = try SQLiteSnapshot.watermark(db).revision
    return Check(
      "change feed",
      last == sequence ? .passed : .damaged("it ends at revision \(last), but \(sequence) were given out"))
  }

  private static func checkVectors(_ db: Database) throws -> Check {
    let rows = try Row.fetchCursor(db, sql: "SELECT id, embedding, dimensions FROM embeddings")
    while let row = try rows.next() {
      let problem: String? = try row.withUnsafeData(atIndex: 1) { bytes in
        do throws(VectorError) {
          _ = try Vector(littleEndianFloat32: (bytes ?? Data()).bytes, dimensions: row[2])
          return nil
        } catch {
          return "\(error)"
        }
      }
      if let problem { return Check("vectors", .damaged("embedding \"\(row[0] as String)\": \(problem)")) }
    }
    return Check("vectors", .passed)
  }

  /// Compares the index with the table, row by row; a writing statement as far as SQLite is concerned, so other writers
  /// wait for it.
  private func checkText(_ name: String, index: String) async throws(MemoryError) -> Check {
    do throws(MemoryError) {
      try await write { db in
        try db.execute(sql: "INSERT INTO \(index) (\(index), rank) VALUES ('integrity-check', 1)")
      }
      return Check(name, .passed)
    } catch let error where error.code == .corrupted {
      return Check(name, .failed("the index is not what the table says; run rebuild"))
    }
  }
}
