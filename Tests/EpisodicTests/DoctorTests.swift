import FileLocks
import Foundation
import GRDB
import Logging
import MemorySQLite
import TestSupport
import Testing

@testable import Episodic

@Suite struct `Doctor` {
  /// Without what is so on any machine that builds in a container.
  private func codes(_ diagnosis: Diagnosis) -> Set<String> {
    Set(diagnosis.findings.map(\.code)).subtracting([FindingCode.fileSystemOverlay.rawValue])
  }

  @Test(arguments: PlantedFault.all) func `finds a planted fault and nothing else, and a repair does what is safe`(
    _ fault: PlantedFault
  ) async throws {
    guard !fault.needsRoot || Host.isRoot else { return }
    let store = try await FaultyStore()
    let held = try await fault.plant(store)
    var options = DiagnosisOptions()
    options.depth = fault.depth
    options.busyTimeout = .seconds(30)
    fault.adjust(&options)
    let before = try listing(store.path)
    let diagnosis = try await Memory.diagnose(at: store.path, options: options)
    #expect(codes(diagnosis) == fault.codes, "\(diagnosis.findings)")
    if fault.depth == .quick { #expect(try listing(store.path) == before, "the diagnosis changed a file") }
    for finding in diagnosis.findings {
      #expect(!finding.subject.isEmpty && !finding.meaning.isEmpty && !finding.remedy.isEmpty)
      for text in [finding.meaning, finding.remedy] { #expect(!text.contains("\n") && !text.contains("--"), "\(text)") }
    }

    let repaired = try await Memory.repair(at: store.path, options: options)
    #expect(codes(repaired) == fault.left ?? fault.codes, "\(repaired.findings) after \(repaired.repairs)")
    #expect(repaired.repairs.isEmpty == (fault.left == nil), "\(repaired.repairs)")
    for finding in diagnosis.findings where fault.left != nil { #expect(finding.isMendable, "\(finding.code)") }
    withExtendedLifetime(held) {}
  }

  /// Names, sizes and modes.
  private func listing(_ path: String) throws -> [String] {
    try (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).sorted().compactMap { name in
      // SQLite makes these for any reader of a database with a log.
      if name.hasSuffix("-shm") || name.hasSuffix("-wal") { return nil }
      return try FileStatus(of: path + "/" + name).map { "\(name) \($0.size) \($0.mode)" }
    }
  }

  @Test(arguments: [MemoryCheck.Depth.quick, .full]) func `finds nothing in a whole store, and says what it looked at`(
    _ depth: MemoryCheck.Depth
  ) async throws {
    let store = try await FaultyStore()
    var options = DiagnosisOptions()
    options.depth = depth
    let diagnosis = try await Memory.diagnose(at: store.path, options: options)
    #expect(codes(diagnosis).isEmpty, "\(diagnosis.findings)")
    #expect(diagnosis.isHealthy && !diagnosis.isDamaged && diagnosis.repairs.isEmpty)
    let names = diagnosis.observations.map(\.name)
    for name in ["SQLite", "free space", "schema version", "backups", "last maintenance", "other processes"] {
      #expect(names.contains(name), "\(name) is not in \(names)")
    }
    let repaired = try await Memory.repair(at: store.path, options: options)
    #expect(repaired.isHealthy && repaired.repairs.isEmpty)
  }

  @Test func `finds nothing in an empty store, one in use by this process, and one in memory`() async throws {
    let store = try Store()
    let memory = try await store.open()
    for depth in MemoryCheck.Depth.allCases {
      var options = DiagnosisOptions()
      options.depth = depth
      for diagnosis in [try await memory.diagnose(depth), try await Memory.diagnose(at: store.path, options: options)] {
        #expect(codes(diagnosis).isEmpty, "\(diagnosis.findings)")
      }
    }
    // The locks of this process are whole (I5): it goes on.
    try await memory.insert([.sample("e")])
    #expect(try await memory.episode("e") != nil)
    try await memory.close()
    #expect(try await Memory.diagnose(at: store.path).isHealthy)

    let inMemory = try await Memory.inMemory()
    try await inMemory.insert([.sample("e")])
    let diagnosis = try await inMemory.diagnose(.full)
    #expect(diagnosis.isHealthy, "\(diagnosis.findings)")
  }

  @Test func `finds nothing while other processes write, nor after they were killed`() async throws {
    let store = try await FaultyStore()
    let children = try (0..<2).map {
      try Child("StoreWorker", ["record", store.path, "k\($0)"], in: store.store.directory)
    }
    for child in children { try await child.waitForLines(4) }
    for _ in 0..<5 {
      let diagnosis = try await Memory.diagnose(at: store.path)
      #expect(codes(diagnosis).isEmpty, "\(diagnosis.findings)")
      let users = diagnosis.observations.first { $0.name == "other processes" }?.value ?? ""
      #expect(children.contains { users.contains("\($0.process)") }, "\(users)")
    }
    for child in children { child.kill() }
    let diagnosis = try await Memory.diagnose(at: store.path)
    #expect(codes(diagnosis).isEmpty, "\(diagnosis.findings)")
  }

  @Test func `finds in an open memory what is in its rows`() async throws {
    let store = try await FaultyStore()
    let memory = try await store.store.open()
    try store.run("INSERT INTO settings VALUES ('colour', '1', 0)")
    let diagnosis = try await memory.diagnose()
    #expect(codes(diagnosis) == ["setting-unknown"], "\(diagnosis.findings)")
    try await memory.close()
  }

  /// What cannot be planted on every machine.
  @Test func `a network file system and an overlay are named`() throws {
    let examination = Examination(try StoreDirectory("/tmp/x"), DiagnosisOptions())
    for kind in [FileSystem.kind(magic: 0x6969), FileSystem.kind(magic: 0x794C_7630), FileSystem.kind(magic: 0xEF53)] {
      examination.examine(
        FileSystem(
          kind: kind, size: 1 << 40, free: 1 << 39, files: 1 << 20, freeFiles: 3, blockSize: 4096, isReadOnly: false))
    }
    #expect(examination.codes == [.fileSystemNetwork, .fileSystemOverlay, .inodesLow])
  }

  @Test func `a SQLite without full text is named`() async throws {
    let store = try await FaultyStore()
    let primary = try await SQLitePrimaryStore(
      path: store.file("memory.sqlite"), isReadOnly: true, create: false, logger: .silent)
    var inspection = try await primary.inspect()
    try await primary.close()
    #expect(inspection.missingFeatures.isEmpty)
    inspection.missingFeatures = ["fts5"]
    let examination = Examination(try StoreDirectory(store.path), DiagnosisOptions())
    examination.examine(inspection)
    #expect(examination.codes == [.sqliteFeatures])
  }

  @Test(.enabled(if: Host.canMount, "only root can mount a small disk"))
  func `a disk without inodes and one that is read only are named`() async throws {
    let directory = try TemporaryDirectory()
    let disk = directory.file("disk")
    func sh(_ script: String) throws {
      let child = try Child(running: "/bin/sh", ["-ec", script], in: directory)
      let status = child.wait()
      let errors = try child.standardError
      try #require(status == 0, "\(script): \(errors)")
    }
    try sh("mkdir '\(disk)' && mount -t tmpfs -o size=16m,nr_inodes=30 tmpfs '\(disk)'")
    defer { try? sh("umount -l '\(disk)'") }
    var options = Memory.OpenOptions()
    options.cache.isEnabled = false
    options.index.isEnabled = false
    do {
      // The last reference closes the lock file too, which would keep the disk from being made read only.
      let memory = try await Memory.open(at: disk + "/store", options: options)
      try await memory.insert([.sample("e")])
      try await memory.close()
    }
    #expect(try await Memory.diagnose(at: disk + "/store").isHealthy)
    try sh("i=0; while [ $i -lt 15 ]; do touch '\(disk)'/f$i; i=$((i+1)); done")
    #expect(codes(try await Memory.diagnose(at: disk + "/store")) == ["inodes-low"])
    try sh("rm '\(disk)'/f*; i=0; until mount -o remount,ro '\(disk)'; do i=$((i+1)); [ $i -lt 50 ]; sleep 0.1; done")
    #expect(codes(try await Memory.diagnose(at: disk + "/store")) == ["read-only"])
  }

  @Test func `every setting that a file of the sources names is known`() throws {
    var named: Set<String> = []
    for target in ["StoreRows", "EpisodicMemory", "MemorySQLite", "Episodic"] {
      for text in try Layers.files(of: target).values {
        for match in text.matches(of: /[sS]etting = "([a-z._]+)"/) { named.insert(String(match.1)) }
      }
    }
    for name in named { #expect(KnownSetting.isKnown(name), "\(name)") }
  }

  @Test func `finds what is wrong with the ledger beside the memory`() async throws {
    let directory = try TemporaryDirectory()
    let store = directory.file("store")
    let file = URL(filePath: store + "/ledger.sqlite")
    let opened = try await AgentStore.open(at: store, options: .manual)
    try await opened.ledger.add(
      (0..<500).map { Ledger.Task.Draft("visit", domain: "web", params: ["number": JSON($0)]) })
    try await opened.close()
    var options = DiagnosisOptions()
    options.depth = .full
    #expect(codes(try await Memory.diagnose(at: store, options: options)).isEmpty)
    let whole = try Data(contentsOf: file)

    let queue = try DatabaseQueue(path: store + "/ledger.sqlite")
    try await queue.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA foreign_keys = OFF")
      try db.execute(sql: "INSERT INTO results (id, task_id, success, created_at) VALUES ('r', 'nobody', 1, 1)")
    }
    try queue.close()
    #expect(codes(try await Memory.diagnose(at: store, options: options)) == ["ledger-wrong"])

    var damaged = whole
    for page in 2..<(damaged.count / 4096) {
      damaged.replaceSubrange(page * 4096..<page * 4096 + 64, with: Data(repeating: 0xA5, count: 64))
    }
    try damaged.write(to: file)
    #expect(codes(try await Memory.diagnose(at: store, options: options)).contains("ledger-damaged"))

    try Data("no database".utf8).write(to: file)
    #expect(codes(try await Memory.diagnose(at: store, options: options)) == ["ledger-unavailable"])
  }

  @Test func `every code is planted, or is left out here with its reason`() {
    let planted = Set(PlantedFault.all.flatMap(\.codes))
    let elsewhere: Set<FindingCode> = [
      // In other tests of this suite.
      .fileSystemNetwork, .fileSystemOverlay, .inodesLow, .readOnly, .ledgerWrong, .ledgerDamaged, .ledgerUnavailable,
      // By limits of a process: in the tests of the command.
      .fileLimit, .mapLimit, .temporaryDirectory,
      .sqliteFeatures,
    ]
    let all = Set(FindingCode.allCases.map(\.rawValue))
    #expect(planted.union(elsewhere.map(\.rawValue)) == all)
    #expect(PlantedFault.all.count >= 30)
  }
}
