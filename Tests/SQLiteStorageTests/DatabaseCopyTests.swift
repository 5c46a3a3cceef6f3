import FileLocks
import Foundation
import GRDB
import SQLiteStorage
import Synchronization
import TestSupport
import Testing

@Suite struct `Copies of a database` {
  private func filled(_ directory: TemporaryDirectory, _ count: Int = 300) async throws -> WALDatabase {
    let database = try WALDatabase(path: directory.file("db"), configuration())
    try await database.write { db in
      for number in 0..<count {
        let text = "\(number) " + String(repeating: "x", count: 2000)
        try db.execute(sql: "INSERT INTO notes (text) VALUES (?)", arguments: [text])
      }
    }
    return database
  }

  private func copy(
    _ database: WALDatabase, to path: String, progress: @escaping @Sendable (DatabaseCopy.Progress) -> Void = { _ in }
  ) async throws -> DatabaseCopy {
    try await database.copy(to: path, progress: progress, describing: { _ in }).copy
  }

  private func texts(of path: String) throws -> [String] {
    var configuration = Configuration()
    configuration.readonly = true
    return try DatabaseQueue(path: path, configuration: configuration).read { db in
      try String.fetchAll(db, sql: "SELECT text FROM notes ORDER BY id")
    }
  }

  @Test func `a copy is one file of mode 0600 with all rows, and nothing is left beside it`() async throws {
    let directory = try TemporaryDirectory()
    let database = try await filled(directory)
    let copied = try await copy(database, to: directory.file("copy"))
    #expect(!directory.has("copy") && directory.has("copy.partial"), "no name before it is verified")
    try copied.publish()
    #expect(try directory.mode("copy") == 0o600)
    #expect(copied.content.rows == ["notes": 300, "schema_version": 1])
    #expect(copied.content.schemaVersion == 1 && copied.content.applicationID == 7)
    #expect(try Int64(directory.size("copy")) == copied.bytes)
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    #expect(names.filter { $0.hasPrefix("copy") } == ["copy"])
    #expect(try texts(of: directory.file("copy")) == (try await database.texts()))
    try await database.close()
  }

  @Test func `a copy is of one moment while others write, and no writer waits for it`() async throws {
    let directory = try TemporaryDirectory()
    let database = try await filled(directory, 2000)
    let other = try WALDatabase(path: directory.file("db"), configuration())
    let writing = Task {
      var count = 0
      while !Task.isCancelled {
        try await other.add("late \(count)")
        count += 1
      }
      return count
    }
    try await poll("the first of the late notes") { try await database.texts().contains("late 0") }
    let before = try await database.texts().count
    try await copy(database, to: directory.file("copy")).publish()
    writing.cancel()
    _ = await writing.result
    let copied = try texts(of: directory.file("copy"))
    let all = try await database.texts()
    #expect(copied.count >= before && copied == Array(all.prefix(copied.count)))
    try await other.close()
    try await database.close()
  }

  @Test func `the log of the source can shrink while the copy is verified`() async throws {
    let directory = try TemporaryDirectory()
    let database = try await filled(directory)
    let other = try otherProgram(directory.file("db"))
    let isBusy = Mutex<Bool?>(nil)
    let copied = try await copy(database, to: directory.file("copy")) { now in
      guard now.stage == .verifying, isBusy.withLock({ $0 == nil }) else { return }
      let found = try? other.writeWithoutTransaction { db in
        try db.execute(sql: "INSERT INTO notes (text) VALUES ('meanwhile')")
        return try Bool.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
      }
      isBusy.withLock { $0 = found ?? true }
    }
    #expect(isBusy.withLock { $0 } == false)
    copied.draft.discard()
    try other.close()
    try await database.close()
  }

  enum Target: String, CaseIterable {
    case file, link, folder, inNoFolder, inAFile, empty, beingMade

    func path(in directory: TemporaryDirectory) throws -> (path: String, held: DraftFile?) {
      let path = directory.file("target")
      switch self {
      case .file: try Data("kept".utf8).write(to: URL(filePath: path))
      case .link: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "elsewhere")
      case .folder: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      case .inNoFolder: return (path + "/copy", nil)
      case .inAFile:
        try Data().write(to: URL(filePath: path))
        return (path + "/copy", nil)
      case .empty: return ("", nil)
      case .beingMade: return (path, try DraftFile(of: path))
      }
      return (path, nil)
    }
  }

  @Test(arguments: Target.allCases) func `a target that cannot be made is named, and stays as it is`(
    _ target: Target
  ) async throws {
    let directory = try TemporaryDirectory()
    let database = try await filled(directory)
    let (path, held) = try target.path(in: directory)
    let before = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    let error = await failure { try await copy(database, to: path) }
    let message = try #require(error as? FileError).message
    #expect(message.contains(path.isEmpty ? "is not the path" : path), "\(message)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == before)
    if target == .file { #expect(try String(contentsOfFile: path, encoding: .utf8) == "kept") }
    held?.discard()
    try await database.close()
  }

  @Test func `a copy does not take the name of a file that came meanwhile`() async throws {
    let directory = try TemporaryDirectory()
    let database = try await filled(directory)
    let copied = try await copy(database, to: directory.file("copy"))
    try Data("kept".utf8).write(to: URL(filePath: directory.file("copy")))
    #expect((await failure { try copied.publish() } as? FileError)?.number == EEXIST)
    #expect(try String(contentsOfFile: directory.file("copy"), encoding: .utf8) == "kept")
    try await database.close()
  }

  @Test func `a copy that is cancelled or not published leaves nothing`() async throws {
    let directory = try TemporaryDirectory()
    let database = try await filled(directory, 2000)
    do { _ = try await copy(database, to: directory.file("copy")) }
    #expect(!directory.has("copy.partial"))
    let started = AsyncStream<Void>.makeStream()
    let goOn = DispatchSemaphore(value: 0)
    let copying = Task {
      try await copy(database, to: directory.file("copy")) { _ in
        started.continuation.finish()
        goOn.wait()
        goOn.signal()
      }
    }
    for await _ in started.stream {}
    copying.cancel()
    goOn.signal()
    #expect(await failure { try await copying.value } is CancellationError)
    #expect(!directory.has("copy") && !directory.has("copy.partial"))
    try await database.close()
  }

  @Test func `a damaged source is named, and has no copy`() async throws {
    let directory = try TemporaryDirectory()
    try await filled(directory).close()
    let file = try FileHandle(forUpdating: URL(filePath: directory.file("db")))
    try file.seek(toOffset: 4096 * 40)
    try file.write(contentsOf: Data(repeating: 0xA5, count: 4096 * 20))
    try file.close()
    let database = try WALDatabase(path: directory.file("db"), configuration())
    let error = await failure { try await copy(database, to: directory.file("copy")) }
    switch error {
    case StorageError.damaged(let path, _)?: #expect(path.hasSuffix("/db"))
    case let error as DatabaseError: #expect(error.resultCode == .SQLITE_CORRUPT)
    default: Issue.record("\(String(describing: error))")
    }
    #expect(!directory.has("copy") && !directory.has("copy.partial"))
    try await database.close()
  }
}
