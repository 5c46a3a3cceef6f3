import Episodic
import FileLocks
import Foundation
import TestSupport
import Testing

@Suite struct `Backups and other processes` {
  private static func amount(_ variable: String, _ short: Int) -> Int {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? short
  }

  /// 100 rounds with EPISODIC_BACKUPS=100; 20 a store, since the writers fill it without a pause.
  @Test func `a backup under four writers is of one moment: no writer's own sequence has a gap`() async throws {
    let rounds = Self.amount("EPISODIC_BACKUPS", 5)
    for first in stride(from: 0, to: rounds, by: 20) {
      try await Self.backUpUnderWriters(rounds: first..<min(first + 20, rounds))
    }
  }

  private static func backUpUnderWriters(rounds: Range<Int>) async throws {
    let store = try Store()
    let memory = try await store.open()
    let names = ["a", "b", "c", "d"]
    let writers = try names.map { try Child("StoreWorker", ["sequence", store.path, $0], in: store.directory) }
    for writer in writers { try await writer.waitForLines(1) }
    var seen: [String: Int] = [:]
    for round in rounds {
      let compression: Backup.Compression = round.isMultiple(of: 5) ? .gzip : .none
      let acknowledged = try writers.map { try $0.lines.count }
      let backup = try await memory.backUp(options: BackupOptions(compression: compression, keep: 2))
      let restored = try Store()
      let report = try await Memory.restore(backup.path, to: restored.path)
      #expect(report.matchesManifest && report.faults.isEmpty)
      try await restored.expectSoundness()
      try await restored.withMemory { memory in
        for (name, before) in zip(names, acknowledged) {
          let filter = Episode.Filter(statuses: Set(Episode.Status.allCases))
          var episodes: [Episode] = []
          var cursor: Episode.Page.Cursor?
          repeat {
            let page = try await memory.episodes(filter, in: .domain(name), after: cursor, limit: 100)
            episodes += page.elements
            cursor = page.next
          } while cursor != nil
          let rounds = episodes.count
          #expect(rounds >= before, "what was acknowledged before the backup is in it")
          for episode in episodes {
            let number = Int(episode.id.rawValue.dropFirst(2)) ?? -1
            #expect(episode.steps.map(\.number) == Array(1...20).prefix(episode.steps.count).map(\.self))
            if number < rounds - 1 { #expect(episode.status == .completed && episode.steps.count == 20) }
          }
          #expect(Set(episodes.map { Int($0.id.rawValue.dropFirst(2)) }) == Set(0..<rounds))
          #expect(rounds >= seen[name] ?? 0, "a later backup has no less")
          seen[name] = rounds
        }
      }
    }
    for writer in writers {
      let errors = try writer.standardError
      #expect(!writer.isOver, "\(errors)")
      writer.kill()
    }
    try await memory.close()
    try await store.expectSoundness()
  }

  /// 500 kills with EPISODIC_KILLS=500.
  @Test func `a backup that is killed leaves whole backups and drafts that maintenance removes`() async throws {
    let store = try Store()
    try await store.fillAll()
    var generator = SeededGenerator(seed: 3)
    for round in 0..<Self.amount("EPISODIC_KILLS", 12) {
      let kind = round.isMultiple(of: 2) ? "plain" : "gzip"
      let child = try Child("StoreWorker", ["backup", store.path, kind], in: store.directory)
      try await child.waitForLines(Int.random(in: 1...2, using: &generator))
      usleep(UInt32.random(in: 0...150_000, using: &generator))
      child.kill()
      for backup in try await Memory.backups(ofStoreAt: store.path) {
        let verification = try await Memory.verify(backup.path)
        #expect(verification.isPassed && verification.matchesManifest, "\(verification)")
      }
    }
    let memory = try await store.open()
    _ = try await memory.backUp(options: BackupOptions(keep: 1))
    let left = try store.backupNames()
    #expect(left.count == 2, "\(left)")
    try await memory.close()
    try await store.expectSoundness()
  }

  /// 500 kills with EPISODIC_KILLS=500.
  @Test func `a restore that is killed leaves the old store or the new one, whole`() async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    let now = store.directory.file("now.sqlite")
    _ = try await store.withMemory { try await $0.backUp(to: now) }
    // How long one takes on this machine, so that kills fall into all of it.
    let begin = ContinuousClock.now
    let whole = try Child("StoreWorker", ["restore", store.path, backup.path], in: store.directory)
    try await whole.waitForLines(2)
    let duration = UInt32((begin.duration(to: .now) / .microseconds(1)).rounded())
    whole.wait()
    var generator = SeededGenerator(seed: 4)
    var restored = 0
    for _ in 0..<Self.amount("EPISODIC_KILLS", 16) {
      // Turn by turn, so that old and new can be told apart.
      let isBack = try await store.has("later")
      let child = try Child("StoreWorker", ["restore", store.path, isBack ? backup.path : now], in: store.directory)
      try await child.waitForLines(1)
      usleep(UInt32.random(in: 0...(duration * 5 / 4), using: &generator))
      child.kill()
      let isOver = try child.lines.count == 2
      let isNew = try await store.has("later") != isBack
      #expect(isNew || !isOver, "what was acknowledged is there")
      #expect(try await store.has("e1"))
      try await store.expectSoundness()
      if isNew { restored += 1 }
    }
    print("restores that were through before the kill: \(restored)")
    let memory = try await store.open()
    _ = try await memory.pruneBackups(options: BackupOptions(keep: 1))
    #expect(try store.backupNames().filter { $0.hasSuffix(DraftFile.suffix) }.isEmpty)
    try await memory.close()
    // What was replaced is whole, too.
    for backup in try await Memory.backups(ofStoreAt: store.path) {
      #expect(try await Memory.verify(backup.path).isPassed, "\(backup.path)")
    }
  }

  /// 500 kills with EPISODIC_KILLS=500.
  @Test func `a restore over a damaged store that is killed parts no database from its log`() async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    let files = FileManager.default
    let (database, log) = (Data(repeating: 0xA5, count: 8192), Data(repeating: 7, count: 4096))
    func content(_ path: String) -> Data? { files.contents(atPath: path) }
    func damage() throws {
      for suffix in ["", "-wal", "-shm"] where files.fileExists(atPath: store.primary + suffix) {
        try files.removeItem(atPath: store.primary + suffix)
      }
      for name in try store.backupNames() where !name.hasPrefix("memory-") {
        try files.removeItem(atPath: store.path + "/backups/" + name)
      }
      try database.write(to: URL(filePath: store.primary))
      try log.write(to: URL(filePath: store.primary + "-wal"))
    }
    try damage()
    let begin = ContinuousClock.now
    let whole = try Child("StoreWorker", ["restore", store.path, backup.path], in: store.directory)
    try await whole.waitForLines(2)
    let duration = UInt32((begin.duration(to: .now) / .microseconds(1)).rounded())
    whole.wait()
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<Self.amount("EPISODIC_KILLS", 12) {
      try damage()
      let child = try Child("StoreWorker", ["restore", store.path, backup.path], in: store.directory)
      try await child.waitForLines(1)
      usleep(UInt32.random(in: (duration / 2)...duration, using: &generator))
      child.kill()
      let places =
        [store.primary]
        + (try store.backupNames().filter { $0.hasPrefix("replaced") && $0.hasSuffix(".sqlite") })
        .map { store.path + "/backups/" + $0 }
      #expect(places.contains { content($0) == database && content($0 + "-wal") == log }, "\(places)")
      if content(store.primary) != database { #expect(try await store.present("e1", "later") == ["e1"]) }
    }
    _ = try await Memory.restore(backup.path, to: store.path)
    try await store.expectSoundness()
  }

  @Test func `processes that have the store open fail clearly, and open the restored one`() async throws {
    let store = try Store()
    let backup = try await store.backUpAndGoOn()
    let children = try (0..<4).map { _ in
      try Child("StoreWorker", ["hold", store.path, "later"], in: store.directory)
    }
    for child in children { try await child.waitForLines(1) }
    _ = try await Memory.restore(backup.path, to: store.path)
    for child in children {
      let status = child.wait()
      let errors = try child.standardError
      #expect(status == 0, "\(errors)")
      #expect(try child.lines == ["opened", "failed unavailable", "again false false"])
    }
    try await store.expectSoundness()
  }
}
