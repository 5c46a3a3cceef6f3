import Episodic
import FileLocks
import Foundation
import GRDB
import TestSupport
import Testing

extension Store {
  var primary: String { path + "/memory.sqlite" }

  /// Fills it and makes a backup; then adds the episode `later`, which only the store has.
  func backUpAndGoOn(_ compression: Backup.Compression = .none) async throws -> Backup {
    try await fillAll()
    return try await withMemory { memory in
      let backup = try await memory.backUp(options: BackupOptions(compression: compression))
      try await memory.insert([.sample("later")])
      return backup
    }
  }

  func has(_ id: Episode.ID) async throws -> Bool { try await withMemory { try await $0.episode(id) != nil } }

  /// Which of the episodes are there.
  func present(_ ids: Episode.ID...) async throws -> [Episode.ID] {
    try await withMemory { memory in try await memory.episodes(ids).map(\.id) }
  }

  func expectSoundness() async throws {
    try await withMemory { memory in
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    }
  }

  /// Names and sizes of all files, but those that only an open store has.
  fileprivate func files() throws -> [String: Int] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: path).filter { !$0.hasPrefix("cache.lmdb") }
    return try Dictionary(
      uniqueKeysWithValues: names.map { name in
        (name, try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.size] as? Int ?? -1)
      })
  }
}

@Suite struct `Restoring a backup` {
  @Test(arguments: Backup.Compression.allCases)
  func `brings the store back, keeps what was there, and is undone by restoring that`(
    _ compression: Backup.Compression
  ) async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn(compression)
    let report = try await Memory.restore(backup.path, to: store.path)
    #expect(report.kept.count == 1 && report.damage == nil)
    #expect(try await store.present("later", "e1") == ["e1"])
    try await store.expectSoundness()
    #expect(try await Set(Memory.backups(ofStoreAt: store.path).map(\.kind)) == [.replaced, .backup])

    let undone = try await Memory.restore(report.kept[0], to: store.path)
    #expect(!undone.matchesManifest)
    #expect(try await store.has("later"))
    try await store.expectSoundness()
    // A copy of before the first restore is one of this store all the same.
    _ = try await Memory.restore(backup.path, to: store.path)
    #expect(try await store.has("later") == false)
  }

  @Test func `answers are those of a store without cache and index, though those were filled before`() async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    try await store.withMemory { memory in
      for number in 0..<30 { try await memory.update(Episode.ID("e\(number)"), with: .init(context: "topic3 changed")) }
    }
    _ = try await store.answers()
    _ = try await Memory.restore(backup.path, to: store.path)
    let answers = try await store.answers()
    try FileManager.default.removeItem(atPath: store.cachePath)
    #expect(try await store.answers() == answers)
    #expect(!answers.contains { $0.contains("topic3 changed") })
  }

  @Test func `what was erased after the backup is erased in it again, whatever identity the store had then`()
    async throws
  {
    let store = try Store()
    let backup = try await store.backUpAndGoOn(.gzip)
    try await store.withMemory { try await $0.forget(.episodes(["e3"]), in: .everything) }
    let first = try await Memory.restore(backup.path, to: store.path)
    #expect(first.erasures == 1)
    #expect(try await store.present("e1", "e3", "later") == ["e1"])
    try await store.withMemory { try await $0.forget(.episodes(["e1"]), in: .everything) }
    let second = try await Memory.restore(backup.path, to: store.path)
    #expect(second.erasures == 2)
    #expect(try await store.present("e1", "e2", "e3") == ["e2"])
    try await store.expectSoundness()
    // The primary is lost; the receipts beside the backups are not.
    try FileManager.default.removeItem(atPath: store.primary)
    #expect(try await Memory.restore(backup.path, to: store.path).erasures == 2)
    #expect(try await store.present("e1", "e2", "e3") == ["e2"])
  }

  // MARK: Others that have the store open

  @Test func `who has the store open fails clearly, closes without harm, and opens the restored one`() async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    let memory = try await store.open()
    #expect(try await memory.episode("later") != nil)
    _ = try await Memory.restore(backup.path, to: store.path)
    let refused = await #expect(throws: MemoryError.self) { try await memory.insert([.sample("lost")]) }
    #expect(refused?.code == .unavailable)
    await #expect(throws: MemoryError.self) { try await memory.episode("later") }
    let restored = try await store.open()
    try await restored.insert([.sample("after")])
    // The other one closes while the restored store has a log.
    try await memory.close()
    try await restored.insert([.sample("after that")])
    try await restored.close()
    #expect(try await store.present("after", "after that", "later", "lost") == ["after", "after that"])
    try await store.expectSoundness()
    let names = try FileManager.default.contentsOfDirectory(atPath: store.path)
    #expect(!names.contains("memory.sqlite-wal-of-replaced"))
  }

  @Test func `a program that keeps a transaction open is waited for with a bound, and named`() async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    let memory = try await store.open()
    try await memory.insert([.sample("in the log")])
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let shell = try DatabaseQueue(path: store.primary, configuration: configuration)
    try await shell.writeWithoutTransaction { db in
      try db.execute(sql: "BEGIN; SELECT count(*) FROM episodes")
    }
    try await memory.insert([.sample("after its snapshot")])
    var options = RestoreOptions()
    options.busyTimeout = .milliseconds(300)
    let error = await #expect(throws: MemoryError.self) {
      try await Memory.restore(backup.path, to: store.path, options: options)
    }
    #expect(error?.code == .busy && error?.message.contains(store.primary) == true, "\(String(describing: error))")
    #expect(try await memory.episode("after its snapshot") != nil)
    try await memory.insert([.sample("goes on")])
    #expect(try store.backupNames().filter { $0.hasPrefix("replaced") }.isEmpty)
    try await shell.writeWithoutTransaction { db in try db.execute(sql: "COMMIT") }
    _ = try await Memory.restore(backup.path, to: store.path, options: options)
    try? await memory.close()
    try shell.close()
    #expect(try await store.has("goes on") == false)
    try await store.expectSoundness()
  }

  @Test func `a program that writes into the old store afterwards changes nothing of the new one`() async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    let shell = try DatabaseQueue(path: store.primary)
    _ = try await shell.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM episodes") }
    _ = try await Memory.restore(backup.path, to: store.path)
    let memory = try await store.open()
    try await memory.insert([.sample("new")])
    try await shell.write { db in try db.execute(sql: "UPDATE episodes SET context = 'of the shell'") }
    try shell.close()
    try await memory.insert([.sample("newer")])
    try await memory.close()
    #expect(try await store.present("new", "newer") == ["new", "newer"])
    let context = try await store.withMemory { try await $0.episode("e1")?.context }
    #expect(context != nil && context != "of the shell")
    try await store.expectSoundness()
  }

  // MARK: Stores that are damaged or gone

  enum Loss: String, CaseIterable {
    case directoryGone, databaseGone, onlyLogLeft, headerOverwritten, pagesOverwritten, emptied, rollbackJournal
    case applicationID

    func happen(to store: Store) throws {
      let path = store.primary
      switch self {
      case .directoryGone:
        let backups = try FileManager.default.contentsOfDirectory(atPath: store.path + "/backups")
        for name in backups {
          try FileManager.default.moveItem(
            atPath: store.path + "/backups/" + name, toPath: store.directory.file(name))
        }
        try FileManager.default.removeItem(atPath: store.path)
      case .databaseGone: try FileManager.default.removeItem(atPath: path)
      case .onlyLogLeft:
        try FileManager.default.removeItem(atPath: path)
        try Data(repeating: 7, count: 8192).write(to: URL(filePath: path + "-wal"))
      case .headerOverwritten: try overwrite(path, at: 0, 100)
      case .pagesOverwritten: try overwrite(path, at: 8192, 100_000)
      case .applicationID: try overwrite(path, at: 68, 4)
      case .emptied: try Data().write(to: URL(filePath: path))
      case .rollbackJournal:
        try overwrite(path, at: 0, 100)
        try Data(repeating: 7, count: 8192).write(to: URL(filePath: path + "-journal"))
      }
    }

    private func overwrite(_ path: String, at offset: UInt64, _ count: Int) throws {
      let file = try FileHandle(forWritingTo: URL(filePath: path))
      try file.seek(toOffset: offset)
      try file.write(contentsOf: Data(repeating: 0xA5, count: count))
      try file.close()
    }

    /// What stands beside the backup afterwards.
    var kept: [String] {
      switch self {
      case .directoryGone, .databaseGone, .emptied: []
      case .onlyLogLeft: ["-wal"]
      // SQLite removes a journal that is none itself.
      case .headerOverwritten, .pagesOverwritten, .rollbackJournal, .applicationID: [""]
      }
    }
  }

  @Test(arguments: Loss.allCases) func `a store that is damaged or gone is moved aside with its log`(
    _ loss: Loss
  ) async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    try loss.happen(to: store)
    let path =
      loss == .directoryGone ? store.directory.file("\(backup.path.split(separator: "/").last ?? "")") : backup.path
    let report = try await Memory.restore(path, to: store.path)
    #expect(report.kept.map { $0.replacing(/.*\.sqlite/, with: "") } == loss.kept, "\(report)")
    for path in report.kept { #expect(FileManager.default.fileExists(atPath: path)) }
    #expect(try await store.present("e1", "later") == ["e1"])
    try await store.expectSoundness()
    // Whether pages that were overwritten keep the log from being moved depends on which they are.
    if loss == .pagesOverwritten { return }
    #expect((report.damage != nil) == ![.directoryGone, .databaseGone, .emptied].contains(loss), "\(report)")
  }

  @Test(arguments: [0, 9]) func `the database of another program is not replaced`(_ applicationID: Int) async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    let other = try Store()
    try FileManager.default.createDirectory(atPath: other.path, withIntermediateDirectories: false)
    let shell = try DatabaseQueue(path: other.primary)
    try await shell.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID); CREATE TABLE schema_version (version)")
    }
    try shell.close()
    let before = try Data(contentsOf: URL(filePath: other.primary))
    let error = await #expect(throws: MemoryError.self) { try await Memory.restore(backup.path, to: other.path) }
    #expect(error?.code == .notAStore && error?.message.contains(other.primary) == true, "\(String(describing: error))")
    #expect(try Data(contentsOf: URL(filePath: other.primary)) == before)
  }

  // MARK: Bad input

  @Test func `a file that a program uses is refused, also through a link, and keeps its locks`() async throws {
    let store = try Store()
    try await store.fillAll()
    let link = store.directory.file("link.sqlite")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: store.primary)
    let memory = try await store.open()
    try await memory.insert([.sample("in the log")])
    let other = try Store()
    func refuse(_ path: String) async {
      for isRestore in [false, true] {
        let error = await #expect(throws: MemoryError.self) {
          if isRestore { _ = try await Memory.restore(path, to: other.path) } else { _ = try await Memory.verify(path) }
        }
        #expect(error?.code == .conflict && error?.message.contains("memory.sqlite") == true, "\(error?.message ?? "")")
      }
    }
    let identity = try #require(try FileIdentity(of: store.primary))
    for path in [store.primary, link] { await refuse(path) }
    #expect(LockHolders().processes(on: identity) == [getpid()], "closing the file would have dropped them")
    try await memory.close()
    // Nothing is in its log.
    let shell = try DatabaseQueue(path: store.primary)
    _ = try await shell.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM episodes") }
    await refuse(link)
    try shell.close()
    try? FileManager.default.removeItem(atPath: store.primary + "-shm")
    try? FileManager.default.removeItem(atPath: store.primary + "-wal")
    let lock = FileLock(try OpenFile<FileError>.openOrCreate(store.primary + "-lock"))
    #expect(try lock.tryLock(.exclusive))
    await refuse(link)
    lock.unlock()
    // In use by nobody, it is as good as a backup.
    #expect(try await Memory.verify(link).isPassed)
  }

  enum BadBackup: String, CaseIterable {
    case cut, cutWithoutManifest, missing, folder, text, itself, withLog, ofOtherApplication, ofNewerVersion,
      ofOtherStore
    case rowsMissing, foreignManifest

    var code: MemoryError.Code {
      switch self {
      case .cut, .cutWithoutManifest, .rowsMissing, .foreignManifest: .corrupted
      case .missing: .notFound
      case .folder, .text, .itself: .invalid
      case .withLog, .ofOtherStore: .conflict
      case .ofOtherApplication, .ofNewerVersion: .notAStore
      }
    }

    func make(_ store: Store, _ backup: Backup) async throws -> String {
      let path = store.directory.file("bad.sqlite")
      func change(_ sql: String) throws {
        try FileManager.default.copyItem(atPath: backup.path, toPath: path)
        let other = try DatabaseQueue(path: path)
        try other.writeWithoutTransaction { db in try db.execute(sql: sql) }
        try other.close()
      }
      switch self {
      case .cut:
        try FileHandle(forWritingTo: URL(filePath: backup.path)).truncate(atOffset: UInt64(backup.fileBytes) - 4096)
        return backup.path
      case .cutWithoutManifest:
        try Data(contentsOf: URL(filePath: backup.path)).dropLast(4096 * 3).write(to: URL(filePath: path))
      case .missing: break
      case .folder: return store.directory.path
      case .text: try Data("this is no database".utf8).write(to: URL(filePath: path))
      case .itself: return store.primary
      case .withLog:
        try FileManager.default.copyItem(atPath: backup.path, toPath: path)
        try Data(repeating: 1, count: 100).write(to: URL(filePath: path + "-wal"))
      case .ofOtherApplication: try change("PRAGMA application_id = 7")
      case .ofNewerVersion:
        try change("INSERT INTO schema_version VALUES (99, 1, 'of the future', 'x')")
      case .ofOtherStore:
        let other = try Store()
        try await other.fill(2)
        return try await other.withMemory { try await $0.backUp(to: path).path }
      case .rowsMissing:
        try change("DELETE FROM steps WHERE episode_id = 'e1'")
        try rewriteManifest(of: backup, for: path)
      case .foreignManifest:
        try FileManager.default.copyItem(atPath: backup.path, toPath: path)
        try rewriteManifest(of: backup, for: path) { $0["sha256"] = String(repeating: "0", count: 64) }
      }
      return path
    }

    /// The manifest of a backup beside another file, of which it has the right size and hash.
    private func rewriteManifest(
      of backup: Backup, for path: String, _ change: (inout [String: Any]) -> Void = { _ in }
    ) throws {
      let text = try Data(contentsOf: URL(filePath: backup.path.replacing(".sqlite", with: ".json")))
      var manifest = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
      let directory = try TemporaryDirectory()
      let sum = try Child(running: "/usr/bin/sha256sum", [path], in: directory)
      #expect(sum.wait() == 0)
      manifest["sha256"] = String(try sum.standardOutput.prefix(64))
      manifest["file_bytes"] = try FileManager.default.attributesOfItem(atPath: path)[.size]
      change(&manifest)
      try JSONSerialization.data(withJSONObject: manifest)
        .write(to: URL(filePath: path.replacing(".sqlite", with: ".json")))
    }
  }

  @Test(arguments: BadBackup.allCases) func `a bad backup is refused by name, and nothing is changed`(
    _ bad: BadBackup
  ) async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    let path = try await bad.make(store, backup)
    let before = try store.files()
    for isDryRun in [true, false] where !(isDryRun && bad == .rowsMissing) {
      var options = RestoreOptions()
      options.isDryRun = isDryRun
      let error = await #expect(throws: MemoryError.self, "\(isDryRun)") {
        try await Memory.restore(path, to: store.path, options: options)
      }
      let isUnreadable = isDryRun && error?.code == .corrupted
      #expect(error?.code == bad.code || isUnreadable, "\(String(describing: error))")
      #expect(error?.message.contains(path) == true, "\(String(describing: error))")
    }
    #expect(try store.files() == before)
    #expect(try await store.has("later"))
    if bad == .ofOtherStore {
      var options = RestoreOptions()
      options.acceptsOtherStore = true
      _ = try await Memory.restore(path, to: store.path, options: options)
      #expect(try await store.present("later", "e1", "e2") == ["e1"])
    }
  }

  @Test(arguments: Backup.Compression.allCases, [true, false])
  func `a byte that was changed anywhere is found by the manifest, and never makes a store that fails a check`(
    _ compression: Backup.Compression, _ hasManifest: Bool
  ) async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn(compression)
    let content = try Data(contentsOf: URL(filePath: backup.path))
    var generator = SeededGenerator(seed: 12)
    if !hasManifest { try FileManager.default.removeItem(atPath: backup.path.replacing(/\.sqlite.*/, with: ".json")) }
    for _ in 0..<(hasManifest ? 20 : 8) {
      var changed = content
      let place = Int.random(in: changed.indices, using: &generator)
      changed[place] ^= UInt8.random(in: 1...255, using: &generator)
      try changed.write(to: URL(filePath: backup.path))
      let verification: BackupVerification?
      do throws(MemoryError) {
        verification = try await Memory.verify(backup.path)
      } catch {
        // The first bytes made it a backup.
        #expect(place < 16 && !hasManifest && error.code == .invalid, "byte \(place): \(error)")
        continue
      }
      if hasManifest { #expect(verification?.isPassed == false, "byte \(place)") }
      let target = try Store()
      do {
        _ = try await Memory.restore(backup.path, to: target.path)
        // Only in what SQLite does not look at, such as a text and its index alike, or free space in a page.
        #expect(!hasManifest, "byte \(place)")
        try await target.withMemory { _ = try await $0.check() }
      } catch let error as MemoryError {
        #expect(error.code == .corrupted || error.code == .notAStore, "byte \(place): \(error)")
        #expect(!FileManager.default.fileExists(atPath: target.primary))
      }
    }
  }

  @Test(arguments: Backup.Compression.allCases) func `a dry run has the rows and erasures of the restore`(
    _ compression: Backup.Compression
  ) async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn(compression)
    try await store.withMemory { memory in _ = try await memory.forget(.episodes(["e1"]), in: .everything) }
    let before = try store.files()
    var options = RestoreOptions()
    options.isDryRun = true
    let dry = try await Memory.restore(backup.path, to: store.path, options: options)
    #expect(try store.files() == before)
    let report = try await Memory.restore(backup.path, to: store.path)
    #expect(dry.erasures == 1 && report.erasures == 1 && dry.rows["episodes"] == 30)
    #expect(dry.rows == report.rows && dry.faults == report.faults && dry.schemaVersion == report.schemaVersion)
  }

  @Test(arguments: Backup.Compression.allCases, [true, false])
  func `one of another store is refused, and leaves no directory that it had to make`(
    _ compression: Backup.Compression, _ isDryRun: Bool
  ) async throws {
    let (store, other) = (try Store(), try Store())
    try await store.fill(2)
    try await other.fill(2)
    let path = store.directory.file("bad.sqlite" + (compression == .gzip ? ".gz" : ""))
    _ = try await other.withMemory { memory in try await memory.backUp(to: path) }
    var options = RestoreOptions()
    options.isDryRun = isDryRun
    let refused = await #expect(throws: MemoryError.self) {
      try await Memory.restore(path, to: store.path, options: options)
    }
    #expect(refused?.code == .conflict, "\(String(describing: refused))")
    #expect(!FileManager.default.fileExists(atPath: store.path + "/backups"))
    try FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: 5000)
    let outer = store.directory.file("new")
    await #expect(throws: MemoryError.self) { try await Memory.restore(path, to: outer + "/store", options: options) }
    #expect(!FileManager.default.fileExists(atPath: outer))
  }

  @Test func `a dry run says what would be kept, and changes nothing`() async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn(.gzip)
    let before = try store.files()
    var options = RestoreOptions()
    options.isDryRun = true
    let report = try await Memory.restore(backup.path, to: store.path, options: options)
    #expect(report.isDryRun && report.kept.count == 1 && report.rows["episodes"] == 31)
    #expect(try store.files() == before)
    #expect(try await store.has("later"))
  }
}
