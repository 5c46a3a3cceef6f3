import Foundation
import GRDB
import SQLiteStorage
import TestSupport
import Testing

@Suite struct `A database whose files are taken away` {
  /// What another program does, and whether the next opening finds the state of the backup or the acknowledged notes.
  enum Deed: String, CaseIterable {
    case databaseRemoved, databaseRenamed, databaseReplaced, databaseOverwritten
    case logRemoved, logCut, logOverwritten, indexRemoved

    func run(_ directory: TemporaryDirectory) throws {
      func shell(_ command: String) throws {
        let child = try Child(running: "/bin/sh", ["-c", "cd '\(directory.path)' && \(command)"], in: directory)
        try #require(child.wait() == 0)
      }
      switch self {
      case .databaseRemoved: try shell("rm db")
      case .databaseRenamed: try shell("mv db elsewhere")
      case .databaseReplaced: try shell("cp backup new && mv new db")
      case .databaseOverwritten: try shell("cp backup db")
      case .logRemoved: try shell("rm db-wal")
      case .logCut: try shell(": > db-wal")
      case .logOverwritten: try shell("head -c 100000 /dev/zero | dd of=db-wal conv=notrunc 2>/dev/null")
      case .indexRemoved: try shell("rm db-shm")
      }
    }

    var restores: Bool { self == .databaseReplaced || self == .databaseOverwritten }
  }

  private func database(in directory: TemporaryDirectory) async throws -> WALDatabase {
    let first = try WALDatabase(path: directory.file("db"), configuration())
    try await first.add("old")
    try await first.close()
    try directory.copy("db", to: "backup")
    let second = try WALDatabase(path: directory.file("db"), configuration())
    try await second.write { db in
      for number in 0..<200 {
        try db.execute(
          sql: "INSERT INTO notes (text) VALUES (?)", arguments: ["\(number)" + String(repeating: "x", count: 500)])
      }
    }
    try await second.close()
    return try WALDatabase(path: directory.file("db"), configuration())
  }

  private func expectReplaced(_ error: (any Error)?, _ deed: Deed) {
    guard case StorageError.replaced? = error as? StorageError else {
      Issue.record("\(deed): \(String(describing: error))")
      return
    }
  }

  @Test(arguments: Deed.allCases) func `no write is acknowledged into them`(_ deed: Deed) async throws {
    let directory = try TemporaryDirectory()
    let database = try await database(in: directory)
    try await database.add("acknowledged")
    try deed.run(directory)
    expectReplaced(await failure { try await database.add("refused") }, deed)
    // What is lost does not come back.
    expectReplaced(await failure { try await database.add("refused") }, deed)
    try await database.close()
    guard deed.restores else { return }
    let restored = try WALDatabase(path: directory.file("db"), configuration())
    #expect(try await restored.texts() == ["old"], "nothing of the other life is merged into the backup")
    try await restored.close()
    #expect(directory.has("db-wal-of-replaced"))
  }

  @Test(arguments: [Deed.databaseRemoved, .databaseRenamed, .databaseReplaced, .logRemoved])
  func `reads report it within 100 ms`(_ deed: Deed) async throws {
    let directory = try TemporaryDirectory()
    let database = try await database(in: directory)
    #expect(try await database.texts().count == 201)
    try deed.run(directory)
    try await poll("the end of reads") { await failure { try await database.texts() } is StorageError }
    try await poll("the end of brief reads") {
      await failure { try database.readWithoutWaiting { db in try Int.fetchOne(db, sql: "SELECT 1") } } is StorageError
    }
    expectReplaced(await failure { try database.commitStamp() }, deed)
  }

  @Test func `checkpoints of other processes and of other programs are no such deed`() async throws {
    let directory = try TemporaryDirectory()
    let ours = try WALDatabase(path: directory.file("db"), configuration())
    let theirs = try WALDatabase(path: directory.file("db"), configuration())
    let shell = try DatabaseQueue(path: directory.file("db"))
    for round in 0..<30 {
      try await ours.add("ours \(round)")
      try await theirs.add("theirs \(round)")
      switch round % 3 {
      case 0: try await WALDatabase(path: directory.file("db"), configuration()).close()
      case 1: try await shell.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
      default: try await shell.vacuum()
      }
    }
    #expect(try await ours.texts().count == 60)
    try await ours.close()
    try await theirs.close()
  }

  @Test func `a database that is damaged takes no more writes`() async throws {
    let directory = try TemporaryDirectory()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    try await database.add("before")
    database.refuseWrites(because: "check found damage")
    let error = await failure { try await database.add("after") }
    guard case StorageError.damaged(_, let reason)? = error as? StorageError else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("check found damage"))
    #expect(try await database.texts() == ["before"])
  }
}
