import Foundation
import GRDB

/// Tries out, once a process and on a database of its own, whether the header of the WAL index can be relied on.
///
/// A database that is only read must not be written to find out. The header's own checksum is verified on each database
/// that is opened, and every commit of this process shows whether it still moves there.
enum WALIndexTrial {
  /// Whether the header moved at a commit of another connection and stood still at a rollback.
  static let isPassed: Bool = {
    let directory = FileManager.default.temporaryDirectory.appending(path: "episodic-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
      let outcome = Result { try run(in: directory) }
      try FileManager.default.removeItem(at: directory)
      return try outcome.get()
    } catch {
      // No place to try it, or no way to read it: the slower way is always right.
      return false
    }
  }()

  private static func run(in directory: URL) throws -> Bool {
    let path = directory.appending(path: "trial.sqlite").path(percentEncoded: false)
    let writer = try DatabaseQueue(path: path)
    try writer.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE t (x)")
    }
    let watch = try CommitWatch(path: path, configuration: GRDB.Configuration(), trustsHeader: true)
    let first = watch.headerMark()
    try writer.write { db in try db.execute(sql: "INSERT INTO t VALUES (1)") }
    let second = watch.headerMark()
    try writer.inDatabase { db in
      try db.inTransaction {
        try db.execute(sql: "INSERT INTO t VALUES (2)")
        return .rollback
      }
    }
    let third = watch.headerMark()
    try watch.close()
    try writer.close()
    return first != nil && second != nil && first != second && second == third
  }
}
