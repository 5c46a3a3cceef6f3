import Episodic
import EpisodicMemory
import FileLocks
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@Suite struct `Maintenance` {
  private static func scalar(_ sql: String, _ store: Store) throws -> Int {
    try DatabaseQueue(path: store.path + "/memory.sqlite").read { db in try Int.fetchOne(db, sql: sql) ?? 0 }
  }

  private static func bytes(_ name: String, _ store: Store) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: store.path + "/" + name)
    return attributes?[.size] as? Int ?? 0
  }

  /// Episodes with texts that do not compress in an index.
  private static func episodes(_ count: Int, _ name: String = "e", at clock: ManualClock) -> [Episode] {
    var generator = SeededGenerator(seed: 7)
    return (0..<count).map { number in
      .sample(
        Episode.ID("\(name)\(number)"), context: "task \(number)",
        steps: (0..<4).map { _ in
          (0..<40).map { _ in String(UInt32.random(in: .min ... .max, using: &generator), radix: 36) }
            .joined(separator: " ")
        }, at: clock.now().milliseconds)
    }
  }

  @Test func `does every task once, and then none until it is due`() async throws {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    try await memory.insert(Self.episodes(20, at: clock))
    let first = try await memory.maintain()
    #expect(first.tasks.map(\.outcome).allSatisfy { $0 == .done }, "\(first)")
    #expect(Set(first.tasks.map(\.task)) == Set(MaintenanceTask.allCases).subtracting([.vacuum]))
    clock.advance(by: .seconds(60))
    let second = try await memory.maintain()
    #expect(second.tasks.filter { $0.outcome != .notDue }.map(\.task) == [.erasures, .log, .backup])
    clock.advance(by: .seconds(3600))
    #expect(try await memory.maintain()[.pages]?.outcome == .done)
    // A clock that went back: what ran in the future is due.
    clock.advance(by: .seconds(-86_400))
    #expect(try await memory.maintain()[.pages]?.outcome == .done)
    try await memory.close()
  }

  @Test func `a dry run changes nothing, a task that is named runs although it is not due`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.maintain()
    let before = try await memory.statistics().primary.watermark
    let commits = try Self.scalar("SELECT count(*) FROM maintenance", store)
    for task in try await memory.maintain(.init(isFull: true, isDryRun: true)).tasks {
      #expect(task.outcome == ([.erasures, .log, .backup].contains(task.task) ? .notDue : .due), "\(task)")
    }
    #expect(try await memory.statistics().primary.watermark == before)
    #expect(try Self.scalar("SELECT count(*) FROM maintenance", store) == commits)
    let named = try await memory.maintain(.init(tasks: [.feed]))
    #expect(named.tasks.map(\.task) == [.feed] && named[.feed]?.outcome == .done)
    try await memory.close()
  }

  @Test func `inserts merge no full text beside a merge of all, and do again when a run has ended it`() async throws {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    try await memory.insert(Self.episodes(20, at: clock))
    let merged = "SELECT coalesce(sum(v), -1) FROM steps_text_config WHERE k = 'automerge'"
    _ = try await memory.primaryStore.maintain(.mergeText(.steps, begins: true), amount: 1, at: clock.now())
    #expect(try Self.scalar(merged, store) == 0)
    // As after a kill: the next run goes on.
    try await memory.maintain()
    #expect(try Self.scalar(merged, store) == 4)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await memory.close()
  }

  @Test
  func `a deletion by retention that was cut short leaves appends that merge no full text, and the next run mends it`()
    async throws
  {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    try await memory.insert(Self.episodes(20, at: clock))
    let held = """
      SELECT (SELECT count(*) FROM episodes_text_config WHERE k = 'automerge' AND v = 0)
        + (SELECT count(*) FROM steps_text_config WHERE k = 'automerge' AND v = 0)
      """
    for mends in [true, false] {
      _ = try await memory.primaryStore.maintain(.mergeTextBesideDeletions, amount: 8, at: clock.now())
      #expect(try Self.scalar(held, store) == 2)
      if mends { try await memory.maintain() } else { try await memory.applyRetention() }
      #expect(try Self.scalar(held, store) == 0)
    }
    let before = try Self.scalar("SELECT v FROM steps_text_config WHERE k = 'automerge'", store)
    try await memory.applyRetention(dryRun: true)
    #expect(try Self.scalar("SELECT v FROM steps_text_config WHERE k = 'automerge'", store) == before)
    try await memory.close()
  }

  @Test func `while retention deletes, slices merge full text and appends do not`() async throws {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    for part in 0..<8 { try await memory.insert(Self.episodes(40, "p\(part)-", at: clock)) }
    try await memory.insert(Self.episodes(4, "kept", at: clock))
    try await memory.setRetention(RetentionPolicy(maximumEpisodes: 4))
    let held = "SELECT count(*) FROM steps_text_config WHERE k = 'automerge' AND v = 0"
    let slices = Atomic(0)
    let heldSlices = Atomic(0)
    let report = try await memory.maintain(.init(tasks: [.retention])) { moment in
      guard moment.done > 0 else { return }
      slices.add(1, ordering: .relaxed)
      heldSlices.add((try? Self.scalar(held, store)) ?? 0, ordering: .relaxed)
    }
    #expect(report[.retention]?.counts["maximum_episodes"] == 320, "\(report)")
    let count = slices.load(ordering: .relaxed)
    #expect(count > 0 && heldSlices.load(ordering: .relaxed) == count)
    #expect(try Self.scalar(held, store) == 0)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check)") }
    try await memory.close()
  }

  @Test func `a merge beside deletions leaves no level that appends would merge`() async throws {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    // Each segment has rows in `_idx`.
    let segments = "SELECT count(DISTINCT segid) FROM steps_text_idx"
    func merge() async throws {
      for _ in 0..<1000 {
        let slice = try await memory.primaryStore.maintain(.mergeTextBesideDeletions, amount: 8, at: clock.now())
        if slice.isComplete { return }
      }
      Issue.record("it does not end")
    }
    try await merge()
    for number in 0..<12 { try await memory.insert(Self.episodes(1, "e\(number)-", at: clock)) }
    #expect(try Self.scalar(segments, store) >= 12)
    try await merge()
    #expect(try Self.scalar(segments, store) < 8)
    let rest = try await memory.primaryStore.maintain(.mergeText(.steps, begins: false), amount: 64, at: clock.now())
    #expect(rest.done == 0 && rest.isComplete)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check)") }
    try await memory.close()
  }

  @Test func `free pages are given back, and a store of an earlier version gives them back in a full run`() async throws
  {
    for isOld in [false, true] {
      let store = try Store()
      try await store.fill(1)
      if isOld {
        try await DatabaseQueue(path: store.path + "/memory.sqlite").writeWithoutTransaction { db in
          try db.execute(
            sql: "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM; PRAGMA journal_mode = WAL")
        }
      }
      let clock = ManualClock()
      let memory = try await store.open { $0.clock = clock }
      try await memory.insert(Self.episodes(1500, "x", at: clock))
      try await memory.maintain()
      let full = Self.bytes("memory.sqlite", store)
      for number in 0..<1500 { try await memory.delete(Episode.ID("x\(number)")) }
      try await memory.optimize()
      let report = try await memory.maintain(.init(tasks: [.pages, .log]))
      #expect(report[.pages]?.outcome == (isOld ? .postponed : .done), "\(report)")
      if isOld {
        // What was postponed is tried again after a minute, then after two, and so on.
        var tries: [Int] = []
        for minute in 1...20 {
          clock.advance(by: .seconds(60))
          if try await memory.maintain()[.pages]?.outcome == .postponed { tries.append(minute) }
        }
        #expect(tries == [1, 3, 7, 15])
      }
      if isOld {
        #expect(report[.pages]?.reason?.contains("full run") == true)
        let vacuumed = try await memory.maintain(.init(isFull: true))
        #expect(vacuumed[.vacuum]?.outcome == .done && vacuumed[.pages]?.outcome == .done, "\(vacuumed)")
        #expect(try Self.scalar("SELECT auto_vacuum FROM pragma_auto_vacuum", store) == 2)
      }
      try await memory.maintain(.init(tasks: [.log]))
      #expect(Self.bytes("memory.sqlite", store) < full / 2, "\(Self.bytes("memory.sqlite", store)) of \(full)")
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check)") }
      try await memory.close()
    }
  }

  @Test func `files that a killed process left unfinished go, and those of a living one stay`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let folder = store.path + "/backups"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let living = try DraftFile(of: folder + "/living.sqlite")
    for name in ["dead.sqlite.partial", "dead.sqlite.partial-wal", "kept.sqlite"] {
      try Data([1]).write(to: URL(filePath: folder + "/" + name))
    }
    let report = try await memory.maintain(.init(tasks: [.files]))
    #expect(report[.files]?.counts == ["removed": 1], "\(report)")
    let left = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
    #expect(left == ["living.sqlite.partial", "kept.sqlite"])
    living.discard()
    try await memory.close()
  }

  @Test func `a store is backed up by its schedule, and by none without one`() async throws {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    try await memory.insert(Self.episodes(3, at: clock))
    try await memory.maintain()
    #expect(try await memory.backups().isEmpty)
    for bad in [BackupSchedule(every: .seconds(1)), BackupSchedule(every: .seconds(60), options: BackupOptions())] {
      let error = await #expect(throws: MemoryError.self) { try await memory.setBackupSchedule(bad) }
      #expect(error?.code == .invalid)
    }
    let schedule = BackupSchedule(every: .seconds(3600), options: BackupOptions(compression: .gzip, keep: 2))
    try await memory.setBackupSchedule(schedule)
    #expect(try await memory.backupSchedule() == schedule)
    #expect(try await memory.maintain(.init(isDryRun: true))[.backup]?.counts == ["backups": 1])
    #expect(try await memory.backups().isEmpty)
    for number in 0..<4 {
      let counts = try await memory.maintain()[.backup]?.counts
      #expect(counts == (number < 2 ? ["backups": 1] : ["backups": 1, "removed": 1]))
      #expect(try await memory.maintain()[.backup]?.counts == [:])
      clock.advance(by: .seconds(3600))
    }
    let kept = try await memory.backups()
    #expect(kept.count == 2 && kept.allSatisfy { $0.path.hasSuffix(".gz") }, "\(kept.map(\.path))")
    try await memory.setBackupSchedule(nil)
    #expect(try await memory.maintain()[.backup]?.counts == [:])
    try await memory.close()
  }

  @Test func `a scheduled backup waits for a disk that has room for it above the floor`() async throws {
    let store = try Store()
    let clock = ManualClock()
    try await store.withMemory { memory in
      try await memory.insert(Self.episodes(3, at: clock))
      try await memory.setBackupSchedule(BackupSchedule(every: .seconds(3600)))
    }
    let memory = try await store.open {
      $0.clock = clock
      // More than any disk has left, whatever others free meanwhile.
      $0.limits.minimumFreeBytes = 1 << 60
    }
    let task = try await memory.maintain(.init(tasks: [.backup]))[.backup]
    #expect(task?.outcome == .postponed && task?.reason?.contains(store.path) == true, "\(String(describing: task))")
    #expect(try await memory.backups().isEmpty)
    try await memory.close()
    try await store.withMemory { memory in
      let counts = try await memory.maintain(.init(tasks: [.backup]))[.backup]?.counts
      #expect(counts == ["backups": 1])
    }
  }

  @Test func `a task that fails is kept with its reason, and named until it runs without an error`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("e")])
    try await memory.setBackupSchedule(BackupSchedule(every: .seconds(3600)))
    try Data("in the way".utf8).write(to: URL(filePath: store.path + "/backups"))
    let failed = try await memory.maintain(.init(tasks: [.backup]))[.backup]
    #expect(failed?.outcome == .failed && failed?.lastFailure == nil, "\(String(describing: failed))")
    let reason = try #require(failed?.reason)
    #expect(reason.contains("backups"), "\(reason)")
    let dry = try await memory.maintain(.init(isDryRun: true))
    #expect(dry[.erasures]?.lastFailure == nil && dry[.backup]?.lastFailure?.reason == reason, "\(dry)")
    let finding = try await memory.diagnose().findings.first { $0.code == "maintenance-failed" }
    #expect(finding?.subject == "backup" && finding?.meaning.contains(reason) == true, "\(String(describing: finding))")
    // Of what runs each time and did nothing, nothing is kept.
    #expect(try Self.scalar("SELECT count(*) FROM maintenance WHERE task IN ('erasures', 'log')", store) == 0)

    try FileManager.default.removeItem(atPath: store.path + "/backups")
    let again = try await memory.maintain(.init(tasks: [.backup]))[.backup]
    #expect(again?.outcome == .done && again?.lastFailure?.reason == reason)
    #expect(try await memory.maintain(.init(isDryRun: true))[.backup]?.lastFailure == nil)
    #expect(try await memory.diagnose().findings.allSatisfy { $0.code != "maintenance-failed" })
    try await memory.close()
  }

  @Test func `a task that runs every time is tried again after pauses that double, an hour at most, while it fails`()
    async throws
  {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    try await memory.insert([.sample("e")])
    try await memory.setBackupSchedule(BackupSchedule(every: .seconds(3600)))
    try Data("in the way".utf8).write(to: URL(filePath: store.path + "/backups"))
    var tries: [Int] = []
    for minute in 0..<250 {
      if try await memory.maintain()[.backup]?.outcome == .failed { tries.append(minute) }
      clock.advance(by: .seconds(60))
    }
    #expect(tries == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243])
    try FileManager.default.removeItem(atPath: store.path + "/backups")
    clock.advance(by: .seconds(3600))
    #expect(try await memory.maintain()[.backup]?.counts == ["backups": 1])
    #expect(try await memory.maintain()[.backup]?.outcome == .done)
    try await memory.close()
  }

  @Test func `a run on a store that another process keeps locked waits once, and reports what it did`() async throws {
    let store = try Store()
    try await store.fill(1)
    let memory = try await store.open { $0.busyTimeout = .milliseconds(20) }
    let descriptor = Foundation.open(store.path + "/memory.sqlite-lock", O_RDWR | O_CLOEXEC)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    let report = try await memory.maintain()
    #expect(report[.erasures]?.outcome == .done, "\(report)")
    let failed = try #require(report.tasks.firstIndex { $0.outcome == .failed })
    #expect(report.tasks[(failed + 1)...].allSatisfy { $0.outcome == .postponed }, "\(report)")
    #expect(Set(report.tasks.map(\.task)) == Set(MaintenanceTask.allCases).subtracting([.vacuum]))
    close(descriptor)
    #expect(try await memory.maintain().tasks.allSatisfy { $0.outcome == .done })
    try await memory.close()
  }

  @Test func `a second run returns at once with the process that maintains`() async throws {
    let store = try Store()
    let memory = try await store.open()
    let other = try await store.open()
    // What a run holds from its beginning to its end.
    guard case .held(let release) = try await memory.primaryStore.leaseMaintenance() else {
      Issue.record("the store is maintained already")
      return
    }
    for memory in [memory, other] {
      let report = try await memory.maintain()
      #expect(report.isHeld && report.holder == getpid() && report.tasks.isEmpty)
    }
    release()
    #expect(try await !other.maintain().isHeld)
    try await memory.close()
    try await other.close()
  }

  @Test func `a store in memory is maintained, and a store that is read only says why it is not`() async throws {
    let inMemory = try await Memory.inMemory()
    let report = try await inMemory.maintain(.init(isFull: true))
    #expect(report.tasks.allSatisfy { $0.outcome == .done || $0.outcome == .postponed }, "\(report)")
    let store = try Store()
    try await store.fill(1)
    let memory = try await store.open { $0.access = .readOnly }
    let error = await #expect(throws: MemoryError.self) { try await memory.maintain() }
    #expect(error?.code == .readOnly)
    try await memory.close()
  }

  @Test func `an open memory maintains itself, until it is closed or released`() async throws {
    let store = try Store()
    let clock = ManualClock()
    func open() async throws -> Memory {
      try await store.open {
        $0.clock = clock
        $0.maintenance = .automatic(every: .milliseconds(1))
      }
    }
    func runs() throws -> Int {
      try Self.scalar("SELECT coalesce(max(started_at), 0) FROM maintenance WHERE task = 'keys'", store)
    }
    let memory = try await open()
    try await waitUntil("maintenance has run") { try runs() == clock.now().milliseconds }
    clock.advance(by: .seconds(7200))
    try await waitUntil("maintenance has run again") { try runs() == clock.now().milliseconds }
    try await memory.close()

    // The task would keep the store open if it kept the memory.
    do { _ = try await open() }
    try await waitUntil("the last reference has closed the store") {
      !FileManager.default.fileExists(atPath: store.path + "/memory.sqlite-wal")
    }
  }

  @Test func `a close leaves no long log beside a small database, also while another process has it open`() async throws
  {
    let store = try Store()
    let staying = try await store.open()
    let memory = try await store.open()
    let clock = ManualClock()
    try await memory.insert(Self.episodes(1500, at: clock))
    for number in 0..<1500 { try await memory.delete(Episode.ID("e\(number)")) }
    #expect(Self.bytes("memory.sqlite-wal", store) > 4 << 20)
    try await memory.close()
    #expect(Self.bytes("memory.sqlite-wal", store) <= 1 << 20)
    #expect(try await staying.domains().isEmpty)
    try await staying.insert([.sample("after")])
    try await staying.close()
    #expect(Self.bytes("memory.sqlite-wal", store) == 0)
  }
}

@Suite struct `Failures of automatic maintenance` {
  @Test func `a task that fails is logged once, until it has worked again`() async throws {
    let recorder = LogRecorder()
    let outcomes: [MaintenanceReport.Outcome] = [.failed, .notDue, .failed, .postponed, .failed, .done, .failed]
    let runs = Mutex(outcomes[...])
    let maintenance = AutomaticMaintenance(every: .milliseconds(1), logger: recorder.logger) { () throws(MemoryError) in
      guard let outcome = runs.withLock({ $0.popFirst() }) else { throw MemoryError(.closed, "it is over") }
      return MaintenanceReport(
        tasks: [.init(task: .text, outcome: outcome, reason: "no room")], startedAt: Timestamp(milliseconds: 0))
    }
    try await waitUntil("all runs are over") { runs.withLock(\.isEmpty) }
    await maintenance.close()
    #expect(recorder.all.count { $0.contains("maintenance failed") } == 2, "\(recorder.all)")
  }
}
