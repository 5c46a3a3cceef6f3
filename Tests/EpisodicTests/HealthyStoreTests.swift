import Foundation
import TestSupport
import Testing

@testable import Episodic

/// What is done with a store and leaves it whole.
struct Upkeep: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let run: @Sendable (Store) async throws -> Void

  private init(_ name: String, _ run: @escaping @Sendable (Store) async throws -> Void) {
    testDescription = name
    self.run = run
  }

  private static func with(
    _ name: String, _ body: @escaping @Sendable (Memory) async throws -> Void
  ) -> Upkeep {
    Upkeep(name) { store in try await store.withMemory { memory in try await body(memory) } }
  }

  static let all: [Upkeep] = [
    with("an import") { memory in
      let lines = (0..<3).map { number in
        """
        {"id":"i\(number)","task_type":"testing","domain":"d","context":"imported","status":"completed",\
        "created_at":"2031-01-01T00:00:00Z","completed_at":"2031-01-01T00:00:01Z","metadata":{},"steps":[]}
        """
      }
      let directory = try TemporaryDirectory()
      try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: directory.file("lines.jsonl")))
      #expect(try await memory.importEpisodes(from: [.file(directory.file("lines.jsonl"))]).imported == 3)
    },
    with("a backup") { memory in _ = try await memory.backUp() },
    with("compressed backups by a schedule") { memory in
      try await memory.setBackupSchedule(
        BackupSchedule(every: .seconds(3600), options: BackupOptions(compression: .gzip, keep: 2)))
      for _ in 0..<2 { try await memory.maintain() }
    },
    Upkeep("a restore") { store in
      let backup = try await store.withMemory { memory in try await memory.backUp() }
      try await store.withMemory { memory in _ = try await memory.delete("e0") }
      _ = try await Memory.restore(backup.path, to: store.path)
    },
    with("an erasure") { memory in
      let receipt = try await memory.forget(.episodes(["e1"]), in: .everything)
      #expect(receipt.pending == nil)
    },
    with("an erasure of everything") { memory in
      let receipt = try await memory.forget(.everything, in: .everything)
      #expect(receipt.pending == nil)
    },
    with("retention") { memory in
      try await memory.setRetention(RetentionPolicy(archiveAfter: .seconds(86_400), maximumEpisodes: 3))
      _ = try await memory.applyRetention(acceptingClock: true)
    },
    with("full maintenance") { memory in try await memory.maintain(.init(isFull: true)) },
    with("a rebuild") { memory in try await memory.rebuild() },
    with("settings") { memory in
      try await memory.setBackupSchedule(BackupSchedule(every: .seconds(3600)))
    },
    Upkeep("a salvage") { store in
      let salvaged = store.directory.file("salvaged")
      let report = try await Memory.salvage(from: store.path, to: salvaged)
      #expect(report.isComplete)
      try FileManager.default.removeItem(atPath: store.path)
      try FileManager.default.moveItem(atPath: salvaged, toPath: store.path)
    },
    Upkeep("a migration") { store in
      let earlier = try EarlierStoreFixture(version: 6)
      // As the engine makes files; unpacking gave others the right to read it.
      guard chmod(earlier.database, 0o600) == 0 else { return }
      try FileManager.default.removeItem(atPath: store.path)
      try FileManager.default.moveItem(atPath: earlier.path, toPath: store.path)
      let backups = try await store.withMemory { memory in try await memory.backups() }
      #expect(backups.count == 1)
    },
    Upkeep("the loss of cache and index") { store in try FileManager.default.removeItem(atPath: store.cachePath) },
    Upkeep("a process that was killed") { store in
      let child = try Child("StoreWorker", ["record", store.path, "k"], in: store.directory)
      try await child.waitForLines(4)
      child.kill()
    },
  ]
}

/// A doctor who finds something where nothing is wrong is not asked again.
@Suite struct `A whole store` {
  private func findings(_ diagnosis: Diagnosis) -> [Diagnosis.Finding] {
    // So is any machine that builds in a container.
    diagnosis.findings.filter { $0.code != FindingCode.fileSystemOverlay.rawValue }
  }

  @Test(arguments: Upkeep.all) func `has no finding after`(_ upkeep: Upkeep) async throws {
    let faulty = try await FaultyStore()
    try await upkeep.run(faulty.store)
    for depth in MemoryCheck.Depth.allCases {
      var options = DiagnosisOptions()
      options.depth = depth
      let diagnosis = try await Memory.diagnose(at: faulty.path, options: options)
      #expect(findings(diagnosis).isEmpty, "\(depth): \(findings(diagnosis))")
      let repaired = try await Memory.repair(at: faulty.path, options: options)
      #expect(findings(repaired).isEmpty && repaired.repairs.isEmpty, "\(repaired.repairs)")
    }
  }

  @Test(arguments: MemoryCheck.Depth.allCases) func `has no finding for a memory that is open for reading only`(
    _ depth: MemoryCheck.Depth
  ) async throws {
    let faulty = try await FaultyStore()
    let memory = try await faulty.store.open { $0.access = .readOnly }
    let diagnosis = try await memory.diagnose(depth)
    #expect(findings(diagnosis).isEmpty, "\(findings(diagnosis))")
    try await memory.close()
  }

  @Test func `has no finding in the midst of writes, maintenance and backups of this process`() async throws {
    let faulty = try await FaultyStore()
    let memory = try await faulty.store.open { $0.maintenance = .automatic(every: .milliseconds(20)) }
    try await memory.setBackupSchedule(BackupSchedule(every: .seconds(60)))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for number in 0..<200 { try await memory.insert([.sample(Episode.ID("n\(number)"))]) }
      }
      group.addTask {
        for _ in 0..<3 { _ = try await memory.backUp() }
      }
      group.addTask {
        for depth in [MemoryCheck.Depth.quick, .full, .quick] {
          var options = DiagnosisOptions()
          options.depth = depth
          for diagnosis in [
            try await memory.diagnose(depth), try await Memory.diagnose(at: faulty.path, options: options),
          ] {
            #expect(self.findings(diagnosis).isEmpty, "\(depth): \(self.findings(diagnosis))")
          }
        }
      }
      try await group.waitForAll()
    }
    try await memory.close()
  }
}
