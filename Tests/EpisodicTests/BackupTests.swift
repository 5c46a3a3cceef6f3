import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

/// The rows of every table of a database, as text.
struct TableRows {
  let tables: [String: [String]]

  init(_ path: String) throws {
    var configuration = Configuration()
    configuration.readonly = true
    let database = try DatabaseQueue(path: path, configuration: configuration)
    tables = try database.read { db in
      let names = try String.fetchAll(
        db, sql: "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')")
      return try Dictionary(
        uniqueKeysWithValues: names.map { name in
          (name, try Row.fetchAll(db, sql: "SELECT * FROM \(name)").map(\.debugDescription).sorted())
        })
    }
    try database.close()
  }
}

extension Store {
  /// Something in every table, and the store closed.
  func fillAll() async throws {
    try await fill()
    try await withMemory { memory in
      let vector = Embedding.Draft(of: "e1", content: "x", vector: [0.5, -1], model: "m")
      _ = try await memory.embed(vector)
      let pattern = try await memory.record(Pattern.Draft(.optimization, data: ["a": 1], domain: "even"))
      try await memory.link(pattern.id, to: "e2")
      let draft = Episode.Draft(.testing, domain: "odd", context: "once", id: "once")
      _ = try await memory.begin(draft, idempotencyKey: "key")
    }
    let other = try DatabaseQueue(path: path + "/memory.sqlite")
    try await other.write { db in
      try db.execute(
        sql: """
          INSERT INTO settings (name, value, changed_at) VALUES ('retention', '{"days":30}', 1);
          INSERT INTO maintenance (task, started_at, outcome) VALUES ('backup', 1, '{}');
          INSERT INTO cache_hours (hour, kind, hits, misses) VALUES (1, 'query', 2, 3);
          """)
    }
    try other.close()
  }

  /// The names in the folder of backups.
  func backupNames() throws -> [String] {
    guard FileManager.default.fileExists(atPath: path + "/backups") else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: path + "/backups").sorted()
  }
}

@Suite struct `Backups` {
  private static let time = Timestamp(milliseconds: 1_769_860_800_123)  // 2026-01-31T12:00:00.123Z

  @Test(arguments: Backup.Compression.allCases)
  func `a backup of a store in use has every row of every table, and its manifest vouches for it`(
    _ compression: Backup.Compression
  ) async throws {
    let store = try Store()
    try await store.fillAll()
    let clock = ManualClock(Self.time)
    let memory = try await store.open { $0.clock = clock }
    let backup = try await memory.backUp(options: BackupOptions(compression: compression))
    try await memory.insert([.sample("later")])
    try await memory.close()

    let suffix = compression == .gzip ? ".sqlite.gz" : ".sqlite"
    #expect(backup.path == store.path + "/backups/memory-20260131T120000Z" + suffix)
    #expect(try store.backupNames() == ["memory-20260131T120000Z.json", "memory-20260131T120000Z" + suffix])
    let manifest = try #require(backup.manifest)
    #expect(manifest.rows["episodes"] == 31 && manifest.faults.isEmpty)
    #expect(backup.createdAt == Self.time && manifest.compression == compression)
    let sum = try Child(running: "/usr/bin/sha256sum", [backup.path], in: store.directory)
    #expect(sum.wait() == 0)
    #expect(try sum.standardOutput.hasPrefix(manifest.sha256))
    for name in try store.backupNames() + ["."] {
      let attributes = try FileManager.default.attributesOfItem(atPath: store.path + "/backups/" + name)
      #expect(attributes[.posixPermissions] as? Int == (name == "." ? 0o700 : 0o600), "\(name)")
    }
    let verified = try await Memory.verify(backup.path)
    #expect(verified.isPassed && verified.matchesManifest && verified.rows == manifest.rows)
    #expect(try await Memory.backups(ofStoreAt: store.path) == [backup])

    let restored = try Store()
    let report = try await Memory.restore(backup.path, to: restored.path)
    #expect(report.kept.isEmpty && report.matchesManifest && report.rows == manifest.rows)
    var (expected, found) = (
      try TableRows(store.path + "/memory.sqlite").tables, try TableRows(restored.path + "/memory.sqlite").tables
    )
    // The identity is another, and the one before is kept as a setting; the source has a row more by now.
    #expect(found["store"] != expected["store"])
    let settings = try #require(manifest.rows["settings"])
    #expect(settings > 0 && found["settings"]?.count == settings + 1)
    found["settings"]?.removeAll { $0.contains("ancestors") }
    for table in ["store", "sqlite_sequence"] { (found[table], expected[table]) = (nil, nil) }
    let untouched = Set(expected.keys).subtracting(
      ["episodes", "changes", "steps"] + expected.keys.filter { $0.contains("_text_") })
    for table in untouched { #expect(found[table] == expected[table], "\(table)") }
    #expect(found["episodes"] == expected["episodes"]?.filter { !$0.contains("later") })
    #expect(found["steps"] == expected["steps"])
    try await restored.withMemory { memory in
      #expect(try await memory.episode("later") == nil)
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    }
  }

  @Test func `backups of one second have names of their own, and the newest comes first`() async throws {
    let store = try Store()
    let clock = ManualClock(Self.time)
    let memory = try await store.open { $0.clock = clock }
    var made: [Backup] = []
    for compression in [Backup.Compression.none, .gzip, .none] {
      made.append(try await memory.backUp(options: BackupOptions(compression: compression)))
    }
    clock.advance(by: .seconds(5))
    made.append(try await memory.backUp())
    #expect(
      made.map { $0.path.split(separator: "/").last } == [
        "memory-20260131T120000Z.sqlite", "memory-20260131T120000Z-2.sqlite.gz", "memory-20260131T120000Z-3.sqlite",
        "memory-20260131T120005Z.sqlite",
      ])
    #expect(try await memory.backups() == made.reversed())
    try await memory.close()
  }

  @Test func `a backup stays if a number or an age keeps it, and the last good one whatever its age`() async throws {
    let store = try Store()
    let clock = ManualClock(Self.time)
    let memory = try await store.open { $0.clock = clock }
    for _ in 0..<6 {
      _ = try await memory.backUp()
      clock.advance(by: .seconds(86_400))
    }
    for name in ["replaced-20200101T000000Z.sqlite", "before-schema-011-20200101T000000Z.sqlite", "memory-x.sqlite"] {
      try Data("kept".utf8).write(to: URL(filePath: store.path + "/backups/" + name))
    }
    func count() async throws -> Int { try await memory.backups().count { $0.kind == .backup } }
    #expect(try await memory.pruneBackups(options: BackupOptions()).isEmpty)
    #expect(
      try await memory.pruneBackups(options: BackupOptions(keep: 2, keepFor: .seconds(4 * 86_400 + 1))).count == 2)
    #expect(try await count() == 4)
    #expect(try await memory.pruneBackups(options: BackupOptions(keep: 3)).count == 1)
    #expect(try await memory.pruneBackups(options: BackupOptions(keepFor: .zero)).count == 2)
    #expect(try await count() == 1)
    // A clock that jumps back or forth takes nothing more.
    clock.advance(by: .seconds(100 * 365 * 86_400))
    #expect(try await memory.pruneBackups(options: BackupOptions(keepFor: .seconds(1))).isEmpty)
    #expect(try store.backupNames().count == 5)
    for bad in [BackupOptions(keep: 0), BackupOptions(keepFor: .seconds(-1))] {
      let error = await #expect(throws: MemoryError.self) { try await memory.backUp(options: bad) }
      #expect(error?.code == .invalid)
    }
    try await memory.close()
  }

  @Test func `a clock that jumps ahead makes no backup old before it has gone on for a week`() async throws {
    let store = try Store()
    let clock = ManualClock(Self.time)
    let memory = try await store.open { $0.clock = clock }
    let options = BackupOptions(keepFor: .seconds(90 * 86_400))
    func count() async throws -> Int { try await memory.backups().count { $0.kind == .backup } }
    for _ in 0..<5 {
      _ = try await memory.backUp(options: options)
      clock.advance(by: .seconds(86_400))
    }
    clock.advance(by: .seconds(400 * 86_400))
    for day in 0..<7 {
      _ = try await memory.backUp(options: options)
      #expect(try await count() == 6 + day)
      clock.advance(by: .seconds(86_400))
    }
    // It was right: the store has slept for more than a year.
    _ = try await memory.backUp(options: options)
    #expect(try await count() == 8)
    try await memory.close()
  }

  @Test func `options of what to keep are refused with a file`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let path = store.directory.file("copy.sqlite")
    let error = await #expect(throws: MemoryError.self) {
      try await memory.backUp(to: path, options: BackupOptions(keep: 2))
    }
    #expect(error?.code == .invalid && error?.message.contains(path) == true)
    #expect(!FileManager.default.fileExists(atPath: path))
    try await memory.close()
  }

  @Test(arguments: ["nowhere", "backups"]) func `a folder that cannot be read is no folder without backups`(
    _ target: String
  ) async throws {
    let store = try Store()
    try await store.fill(1)
    // A link that leads nowhere, and one that leads to itself.
    try FileManager.default.createSymbolicLink(atPath: store.path + "/backups", withDestinationPath: target)
    let error = await #expect(throws: MemoryError.self) { try await Memory.backups(ofStoreAt: store.path) }
    #expect(error?.message.contains(store.path + "/backups") == true, "\(String(describing: error))")
  }

  @Test func `what follows a compressed database without a manifest is told, and keeps no one from restoring it`()
    async throws
  {
    let store = try Store()
    let backup = try await store.backUpAndGoOn(.gzip)
    try FileManager.default.removeItem(atPath: backup.path.replacing(".sqlite.gz", with: ".json"))
    #expect(try await Memory.verify(backup.path).faults.isEmpty)
    let file = try FileHandle(forWritingTo: URL(filePath: backup.path))
    try file.seekToEnd()
    try file.write(contentsOf: Data("something else".utf8))
    try file.close()
    let verification = try await Memory.verify(backup.path)
    #expect(verification.isPassed && verification.faults.count == 1, "\(verification.faults)")
    _ = try await Memory.restore(backup.path, to: store.path)
    #expect(try await store.present("e1", "later") == ["e1"])
  }

  @Test func `a clock that is set back by a second between a backup and the removal of others costs it nothing`()
    async throws
  {
    let store = try Store()
    let clock = ManualClock(Self.time)
    let memory = try await store.open { $0.clock = clock }
    for _ in 0..<2 {
      clock.advance(by: .seconds(3600))
      let made = try await memory.backUp()
      clock.advance(by: .seconds(-1))
      _ = try await memory.pruneBackups(options: BackupOptions(keep: 1))
      #expect(try await memory.backups().map(\.path) == [made.path])
    }
    try await memory.close()
  }

  @Test func `a verification can be cancelled while the database is read`() async throws {
    let store = try Store()
    try await store.fill(300)
    let backup = try await store.withMemory { try await $0.backUp() }
    // Nothing is compared byte by byte then.
    try FileManager.default.removeItem(atPath: backup.path.replacing(".sqlite", with: ".json"))
    let started = AsyncStream<Void>.makeStream()
    let goOn = DispatchSemaphore(value: 0)
    let task = Task {
      try await Memory.verify(backup.path) { _ in
        started.continuation.finish()
        goOn.wait()
        goOn.signal()
      }
    }
    let watch = Task {
      let result = await task.result
      started.continuation.finish()
      return result
    }
    for await _ in started.stream {}
    task.cancel()
    goOn.signal()
    let result = await watch.value
    if case .failure(let error) = result {
      #expect((error as? MemoryError)?.code == .cancelled)
    } else {
      Issue.record("it was not cancelled")
    }
  }

  @Test func `the last backup that is whole stays, though a cut one is newer`() async throws {
    let store = try Store()
    let clock = ManualClock(Self.time)
    let memory = try await store.open { $0.clock = clock }
    let good = try await memory.backUp()
    clock.advance(by: .seconds(60))
    let bad = try await memory.backUp()
    try FileHandle(forWritingTo: URL(filePath: bad.path)).truncate(atOffset: 5000)
    #expect(try await memory.pruneBackups(options: BackupOptions(keepFor: .zero)).isEmpty)
    #expect(try await memory.backups().map(\.path) == [bad.path, good.path])
    try await memory.close()
  }

  @Test func `a backup of the future costs no other its place, and not the one just made`() async throws {
    let store = try Store()
    let clock = ManualClock(Self.time)
    let memory = try await store.open { $0.clock = clock }
    clock.advance(by: .seconds(100 * 365 * 86_400))
    let future = try await memory.backUp()
    clock.advance(by: .seconds(-100 * 365 * 86_400))
    for _ in 0..<3 {
      let made = try await memory.backUp(options: BackupOptions(keep: 1))
      #expect(FileManager.default.fileExists(atPath: made.path))
      clock.advance(by: .seconds(60))
    }
    #expect(!FileManager.default.fileExists(atPath: future.path))
    #expect(try await memory.backups().count == 1)
    try await memory.close()
  }

  @Test func `of a folder that two stores share, each removes only its own backups`() async throws {
    let folder = try TemporaryDirectory()
    var last: [String] = []
    for _ in 0..<2 {
      let store = try Store()
      let clock = ManualClock(Self.time)
      let memory = try await store.open { $0.clock = clock }
      for number in 1...3 {
        clock.advance(by: .seconds(60))
        let made = try await memory.backUp(to: folder.path, options: BackupOptions(keep: 1))
        if number == 3 { last.append(made.path) }
      }
      try await memory.close()
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sqlite") }
    #expect(Set(left.map { folder.path + "/" + $0 }) == Set(last), "\(left)")
  }

  @Test func `a store that was restored from a backup elsewhere removes none of the store that made it`() async throws {
    let (store, other, folder) = (try Store(), try Store(), try TemporaryDirectory())
    let first = try await store.withMemory { memory in try await memory.backUp(to: folder.path) }
    _ = try await Memory.restore(first.path, to: other.path)
    let second = try await store.withMemory { memory in try await memory.backUp(to: folder.path) }
    let own = try await other.withMemory { memory in
      try await memory.backUp(to: folder.path, options: BackupOptions(keep: 1))
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sqlite") }
    #expect(Set(left.map { folder.path + "/" + $0 }) == Set([first, second, own].map(\.path)), "\(left)")
  }

  enum Target: String, CaseIterable {
    case existing, existingManifest, noFolder, link, empty, inAFile, otherHome
    case inStore, inFolderOfStore, inCache, throughLink, belowBackups, ofOddName

    func path(in directory: TemporaryDirectory) throws -> String {
      let path = directory.file("copy.sqlite")
      switch self {
      // What is forgotten would not be found in these.
      case .inStore: return directory.file("store/copy.sqlite")
      case .inFolderOfStore: return directory.file("store/z/")
      case .inCache: return directory.file("store/cache.lmdb/copy.sqlite")
      case .throughLink:
        try FileManager.default.createSymbolicLink(atPath: directory.file("l"), withDestinationPath: "store/cache.lmdb")
        return directory.file("l/copy.sqlite")
      case .belowBackups: return directory.file("store/backups/z/")
      case .ofOddName: return directory.file("store/backups/copy")
      case .existing: try Data("kept".utf8).write(to: URL(filePath: path))
      case .existingManifest: try Data("kept".utf8).write(to: URL(filePath: directory.file("copy.json")))
      case .noFolder: return directory.file("none/copy.sqlite")
      case .link: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "elsewhere")
      case .empty: return ""
      case .inAFile:
        try Data("kept".utf8).write(to: URL(filePath: path))
        return path + "/copy.sqlite"
      case .otherHome: return "~nobody/copy.sqlite"
      }
      return path
    }

    var code: MemoryError.Code { [.existing, .existingManifest].contains(self) ? .conflict : .invalid }
  }

  @Test(arguments: Target.allCases, Backup.Compression.allCases)
  func `a target that cannot be made is refused by name, and nothing is left`(
    _ target: Target, _ compression: Backup.Compression
  ) async throws {
    let store = try Store()
    let memory = try await store.open()
    let path = try target.path(in: store.directory)
    let before = try FileManager.default.subpathsOfDirectory(atPath: store.directory.path).sorted()
    let error = await #expect(throws: MemoryError.self) {
      try await memory.backUp(to: path, options: BackupOptions(compression: compression))
    }
    #expect(error?.code == target.code, "\(String(describing: error))")
    let named = target == .empty ? "is empty" : path.prefix { $0 != "." }.replacing(/\/$/, with: "")
    #expect(error?.message.contains(named) == true, "\(String(describing: error))")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: store.directory.path).sorted() == before)
    try await memory.close()
  }

  @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
  func `a target that is read-only is refused`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let folder = store.directory.file("read-only")
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o500])
    let error = await #expect(throws: MemoryError.self) { try await memory.backUp(to: folder) }
    #expect(error?.code == .unavailable && error?.message.contains(folder) == true)
    try await memory.close()
  }

  @Test func `a target without room is refused, nothing is left of it, and the store goes on`() async throws {
    let store = try Store()
    try await store.fill()
    // The largest file is 64 KiB; without the signal that would end the process.
    let worker = Child.products.appending(path: "StoreWorker").path(percentEncoded: false)
    let target = store.directory.file("copy.sqlite")
    let child = try Child(
      running: "/bin/bash",
      ["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "bash", worker, "backup-once", store.path, target],
      in: store.directory)
    #expect(child.wait() != 0)
    let errors = try child.standardError
    #expect(errors.contains(target) && !errors.contains("not an error"), "\(errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: store.directory.path)
    #expect(names.filter { $0.hasPrefix("copy") }.isEmpty)
    try await store.withMemory { memory in
      try await memory.insert([.sample("after")])
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    }
  }

  @Test func `a store in memory is backed up into a file that is named`() async throws {
    let store = try Store()
    let memory = try await Memory.inMemory()
    try await memory.insert([.sample("e")])
    let error = await #expect(throws: MemoryError.self) { try await memory.backUp() }
    #expect(error?.code == .invalid)
    let backup = try await memory.backUp(to: store.directory.file("copy.sqlite.gz"))
    #expect(backup.manifest?.compression == .gzip)
    _ = try await Memory.restore(backup.path, to: store.path)
    #expect(try await store.has("e"))
  }

  @Test func `a backup that is cancelled leaves nothing`() async throws {
    let store = try Store()
    try await store.fill()
    let memory = try await store.open()
    let started = AsyncStream<Void>.makeStream()
    let goOn = DispatchSemaphore(value: 0)
    let task = Task {
      try await memory.backUp { _ in
        started.continuation.finish()
        goOn.wait()
        goOn.signal()
      }
    }
    for await _ in started.stream {}
    task.cancel()
    goOn.signal()
    let result = await task.result
    #expect(throws: MemoryError.self) { try result.get() }
    if case .failure(let error) = result { #expect((error as? MemoryError)?.code == .cancelled) }
    #expect(try store.backupNames().isEmpty)
    try await memory.close()
  }
}
