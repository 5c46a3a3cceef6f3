import FileLocks
import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite struct `A watch for commits` {
  private let directory: TemporaryDirectory
  private let writer: DatabaseQueue
  private var path: String { directory.file("db") }

  init() throws {
    directory = try TemporaryDirectory()
    writer = try DatabaseQueue(path: directory.file("db"))
    try writer.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)")
    }
  }

  private func watch(trustsHeader: Bool = true) throws -> CommitWatch {
    try CommitWatch(DatabaseQueue(path: path), trustsHeader: trustsHeader)
  }

  @Test(arguments: [true, false]) func `sees every commit, and nothing but commits`(_ trustsHeader: Bool) throws {
    let watch = try watch(trustsHeader: trustsHeader)
    #expect((watch.headerStamp() != nil) == trustsHeader)
    var seen: Set<CommitStamp> = [try watch.stamp()]
    func expectMoved(_ sql: String) throws {
      try writer.writeWithoutTransaction { db in try db.execute(sql: sql) }
      #expect(try seen.insert(watch.stamp()).inserted, "\(sql)")
    }
    for _ in 0..<50 { try expectMoved("INSERT INTO t VALUES (1)") }
    try expectMoved("DELETE FROM t")
    try writer.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    _ = seen.insert(try watch.stamp())
    try expectMoved("INSERT INTO t VALUES (1)")
    try expectMoved("VACUUM")
    let before = try watch.stamp()
    try writer.inDatabase { db in
      try db.inTransaction {
        try db.execute(sql: "INSERT INTO t VALUES (2)")
        #expect(try watch.stamp() == before)
        return .rollback
      }
    }
    #expect(try watch.stamp() == before)
    try watch.close(removingLog: false)
  }

  @Test(.enabled(if: Host.hasSQLiteShell, "needs the sqlite3 shell"))
  func `sees the commits of the sqlite3 shell`() throws {
    let watch = try watch()
    var seen: Set<CommitStamp> = [try watch.stamp()]
    for _ in 0..<5 {
      let shell = try Child(running: Host.sqliteShell, [path, "INSERT INTO t VALUES (3)"], in: directory)
      #expect(shell.wait() == 0)
      #expect(try seen.insert(watch.stamp()).inserted)
    }
    try watch.close(removingLog: false)
  }

  @Test func `agrees with another watch of the same header, and never with one that has none`() throws {
    let (first, second) = (try watch(), try watch())
    let (blind, other) = (try watch(trustsHeader: false), try watch(trustsHeader: false))
    #expect(try first.stamp() == second.stamp())
    #expect(try blind.stamp() != first.stamp() && blind.stamp() != other.stamp())
    for watch in [first, second, blind, other] { try watch.close(removingLog: false) }
  }

  /// All empty logs begin with one header, but while a watch is open none comes back to it.
  @Test func `sees the first commit into an empty log, and every one after the log was emptied again`() throws {
    // The last to close the database takes the log along.
    try writer.close()
    let watch = try watch()
    var seen: Set<CommitStamp> = [try #require(watch.headerStamp())]
    let again = try DatabaseQueue(path: path)
    try again.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
      for _ in 0..<5 {
        try db.execute(sql: "INSERT INTO t VALUES (1)")
        #expect(seen.insert(try #require(watch.headerStamp())).inserted)
        try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        _ = seen.insert(try #require(watch.headerStamp()))
      }
    }
    try again.close()
    try watch.close(removingLog: false)
  }

  @Test func `keeps the log from being removed by others that close`() throws {
    let watch = try watch()
    try writer.close()
    #expect(FileManager.default.fileExists(atPath: path + "-wal"))
    try watch.close(removingLog: true)
    #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
  }

  @Test func `gives no marks after it was closed`() throws {
    let watch = try watch()
    try watch.close(removingLog: false)
    #expect(watch.headerStamp() == nil)
    #expect(throws: (any Error).self) { try watch.stamp() }
  }

  @Test func `that distrusts the header goes on without it`() throws {
    let watch = try watch()
    let before = try watch.stamp()
    watch.distrust()
    #expect(try watch.stamp() != before)
    let after = try watch.stamp()
    try writer.writeWithoutTransaction { db in try db.execute(sql: "INSERT INTO t VALUES (1)") }
    #expect(try watch.stamp() != after)
    try watch.close(removingLog: false)
  }
}
