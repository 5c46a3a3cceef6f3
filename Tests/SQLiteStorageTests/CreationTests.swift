import FileLocks
import Foundation
import GRDB
import SQLiteStorage
import TestSupport
import Testing

@Suite struct `Making a database` {
  @Test func `it appears whole: beside its creators a reader finds none, or all of it`() async throws {
    for _ in 0..<10 {
      let directory = try TemporaryDirectory()
      let path = directory.file("a/b/db")
      try await withThrowingTaskGroup { group in
        for number in 0..<8 {
          group.addTask {
            let database = try await WALDatabase.open(path: path, configuration())
            try await database.add("\(number)")
            try await database.close()
          }
          group.addTask {
            do {
              let database = try await WALDatabase.open(path: path, configuration(create: false))
              _ = try await database.texts()
              try await database.close()
            } catch StorageError.missing {}
          }
        }
        try await group.waitForAll()
      }
      #expect(try await WALDatabase(path: path, configuration()).texts().count == 8)
      let names = try FileManager.default.contentsOfDirectory(atPath: directory.file("a/b"))
      #expect(names.filter { $0.hasPrefix("db-new") }.isEmpty)
    }
  }

  @Test func `what a killed maker left goes with the next, and a link among it is not followed`() async throws {
    let directory = try TemporaryDirectory()
    try Data("precious".utf8).write(to: URL(filePath: directory.file("victim")))
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("db-new"), withDestinationPath: directory.file("victim"))
    for suffix in ["-journal", "-wal", "-shm"] {
      try Data("left".utf8).write(to: URL(filePath: directory.file("db-new" + suffix)))
    }
    let database = try WALDatabase(path: directory.file("db"), configuration())
    try await database.add("made")
    try await database.close()
    #expect(try String(contentsOfFile: directory.file("victim"), encoding: .utf8) == "precious")
    #expect(
      try Set(FileManager.default.contentsOfDirectory(atPath: directory.path)) == ["db", "db-lock", "victim"])
  }

  /// What older versions left when they were killed during a first opening.
  @Test(arguments: ["an empty file", "a journal of the beginning", "a hot journal", "no tables in WAL mode"])
  func `one that was half made before is made by the next`(_ state: String) async throws {
    let directory = try TemporaryDirectory()
    let half = try DatabaseQueue(path: directory.file("half"))
    try half.inDatabase { db in
      switch state {
      case "an empty file": break
      case "a journal of the beginning": try db.execute(sql: "BEGIN; CREATE TABLE t (x)")
      case "a hot journal":
        try db.execute(sql: "PRAGMA cache_size = 2; PRAGMA cache_spill = 2; BEGIN; CREATE TABLE t (x)")
        for _ in 0..<50 { try db.execute(sql: "INSERT INTO t VALUES (zeroblob(4000))") }
      default: try db.execute(sql: "PRAGMA journal_mode = WAL")
      }
      for name in ["", "-journal", "-wal"] where directory.has("half" + name) {
        try directory.copy("half" + name, to: "db" + name)
      }
      if db.isInsideTransaction { try db.rollback() }
    }
    if !directory.has("db") { try Data().write(to: URL(filePath: directory.file("db"))) }
    let database = try WALDatabase(path: directory.file("db"), configuration())
    try await database.add("made")
    #expect(try await database.texts() == ["made"])
    try await database.close()
    #expect(!directory.has("db-journal") && !directory.has("db-wal"))
  }

  @Test(arguments: [false, true]) func `an empty file beside a log that holds data is damage, and the log is kept`(
    _ create: Bool
  ) async throws {
    let directory = try TemporaryDirectory()
    let writer = try WALDatabase(path: directory.file("before"), configuration())
    try await writer.add("secret")
    try directory.copy("before-wal", to: "db-wal")
    let log = try Data(contentsOf: URL(filePath: directory.file("db-wal")))
    for isThere in [true, false] {
      if isThere { try Data().write(to: URL(filePath: directory.file("db"))) }
      let error = await failure {
        try await WALDatabase.open(path: directory.file("db"), configuration(create: create))
      }
      guard case StorageError.damaged(_, let reason)? = error as? StorageError else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(reason.contains("db-wal") && reason.contains("restore"))
      #expect(try Data(contentsOf: URL(filePath: directory.file("db-wal"))) == log)
      if isThere { try FileManager.default.removeItem(atPath: directory.file("db")) }
    }
    try await writer.close()
  }

  @Test func `an empty file beside the rollback journal of a full one is damage`() async throws {
    let directory = try TemporaryDirectory()
    let full = try DatabaseQueue(path: directory.file("full"))
    try full.inDatabase { db in
      try db.execute(
        sql: "CREATE TABLE t (x); INSERT INTO t VALUES (1); PRAGMA cache_size = 2; PRAGMA cache_spill = 2; BEGIN")
      for _ in 0..<50 { try db.execute(sql: "INSERT INTO t VALUES (zeroblob(4000))") }
      try directory.copy("full-journal", to: "db-journal")
      try db.rollback()
    }
    try Data().write(to: URL(filePath: directory.file("db")))
    let error = await failure { try await WALDatabase.open(path: directory.file("db"), configuration()) }
    guard case StorageError.damaged? = error as? StorageError else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `an empty file alone is none to read, and no message says to remove it`() async throws {
    let directory = try TemporaryDirectory()
    try Data().write(to: URL(filePath: directory.file("db")))
    let error = await failure { try await WALDatabase.open(path: directory.file("db"), configuration(create: false)) }
    let message = try #require(error as? StorageError).description
    #expect(message.contains("restore a backup") && !message.contains("remove"))
  }
}

@Suite struct `The files of a database` {
  private static let names = ["db", "db-wal", "db-shm", "db-journal", "db-lock"]

  @Test(arguments: names) func `none of them is opened through a symbolic link`(_ name: String) async throws {
    for isDangling in [false, true] {
      let directory = try TemporaryDirectory()
      if name != "db" {
        let database = try WALDatabase(path: directory.file("db"), configuration())
        try await database.close()
        if directory.has(name) { try FileManager.default.removeItem(atPath: directory.file(name)) }
      }
      let target = directory.file("target")
      if !isDangling { try Data("precious".utf8).write(to: URL(filePath: target)) }
      try FileManager.default.createSymbolicLink(atPath: directory.file(name), withDestinationPath: target)
      let error = await failure {
        let database = try await WALDatabase.open(path: directory.file("db"), configuration())
        try await database.add("x")
      }
      guard let error = error as? FileError, error.code == .link else {
        Issue.record("\(name): \(String(describing: error))")
        continue
      }
      #expect(error.message.hasPrefix(directory.file(name) + " "))
      #expect(directory.has("target") == !isDangling)
      if !isDangling { #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious") }
    }
  }

  @Test func `a file under two names is refused, since each would get its own log`() async throws {
    let directory = try TemporaryDirectory()
    try await WALDatabase(path: directory.file("db"), configuration()).close()
    try FileManager.default.linkItem(atPath: directory.file("db"), toPath: directory.file("other"))
    let error = await failure { try await WALDatabase.open(path: directory.file("other"), configuration()) }
    guard case StorageError.severalNames? = error as? StorageError else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(arguments: [(0o600, 0o600), (0o644, 0o600), (0o660, 0o660), (0o666, 0o666)])
  func `the lock can be held by those who may write, and by no others`(_ database: Int, _ lock: Int) async throws {
    let directory = try TemporaryDirectory()
    try await WALDatabase(path: directory.file("db"), configuration()).close()
    try FileManager.default.setAttributes([.posixPermissions: database], ofItemAtPath: directory.file("db"))
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: directory.file("db-lock"))
    let opened = try WALDatabase(path: directory.file("db"), configuration())
    try await opened.add("x")
    #expect(try directory.mode("db-lock") == lock)
    #expect(try directory.mode("db") == database)
    try await opened.close()
  }

  @Test func `a lock file that was removed is made again, and all agree on the new one`() async throws {
    let directory = try TemporaryDirectory()
    let first = try WALDatabase(path: directory.file("db"), configuration())
    try await first.add("before")
    try FileManager.default.removeItem(atPath: directory.file("db-lock"))
    let second = try WALDatabase(path: directory.file("db"), configuration(busyTimeout: .milliseconds(50)))
    try await second.add("second")
    try await first.whileWriting {
      let error = await failure { try await second.add("waits") }
      guard case StorageError.locked? = error as? StorageError else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    #expect(try await first.texts() == ["before", "second"])
  }

  @Test func `to open and read an existing one takes no lock of ours and writes nothing`() async throws {
    let directory = try TemporaryDirectory()
    let made = try WALDatabase(path: directory.file("db"), configuration())
    try await made.add("x")
    try await made.close()
    try FileManager.default.removeItem(atPath: directory.file("db-lock"))
    let bytes = try Data(contentsOf: URL(filePath: directory.file("db")))
    let database = try WALDatabase(path: directory.file("db"), configuration())
    #expect(try await database.texts() == ["x"])
    try await database.close()
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["db"])
    #expect(try Data(contentsOf: URL(filePath: directory.file("db"))) == bytes)
  }

  @Test func `a reader waits for no writer, of this library or another program`() async throws {
    let directory = try TemporaryDirectory()
    let writer = try WALDatabase(path: directory.file("db"), configuration())
    try await writer.add("x")
    let shell = try otherProgram(directory.file("db"))
    func expectReadable() async throws {
      let reader = try WALDatabase(path: directory.file("db"), configuration(create: false, busyTimeout: .zero))
      #expect(try await reader.texts() == ["x"])
      try await reader.close()
    }
    try await writer.whileWriting { try await expectReadable() }
    try shell.inDatabase { db in try db.execute(sql: "BEGIN IMMEDIATE") }
    async let waiting: Void = writer.add("y")
    try await expectReadable()
    try shell.inDatabase { db in try db.execute(sql: "COMMIT") }
    try await waiting
  }
}
