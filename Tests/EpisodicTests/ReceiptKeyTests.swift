import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `The key of receipts` {
  enum Loss: CaseIterable { case removed, emptied, changed }

  private static func lose(_ loss: Loss, in folder: String) throws {
    let path = folder + "/receipts.key"
    switch loss {
    case .removed: try FileManager.default.removeItem(atPath: path)
    case .emptied: try Data().write(to: URL(filePath: path))
    case .changed:
      // A digit of the key itself.
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let start = try #require(text.range(of: "\"key\":\"")?.upperBound)
      let digit = text[start] == "0" ? "1" : "0"
      try text.replacingCharacters(in: start...start, with: digit).write(
        toFile: path, atomically: false, encoding: .utf8)
    }
  }

  @Test(arguments: Loss.allCases) func `that is lost is that of the copy, and an erasure is done again in it`(
    _ loss: Loss
  ) async throws {
    let store = try Store()
    let backup = try await store.withMemory { memory in
      try await memory.insert([.sample("secret"), .sample("kept")])
      let backup = try await memory.backUp()
      try await memory.forget(.episodes(["secret"]), in: .everything)
      return backup
    }
    try Self.lose(loss, in: store.path + "/backups")
    for name in ["memory.sqlite", "memory.sqlite-lock"] {
      try? FileManager.default.removeItem(atPath: store.path + "/" + name)
    }
    #expect(try await Memory.restore(backup.path, to: store.path).erasures == 1)
    #expect(try await store.present("secret", "kept") == ["kept"])
    // It is kept again with the receipts.
    let receipts = try ReceiptFile(in: store.path + "/backups").receipts()
    #expect(receipts.count == 1 && receipts.allSatisfy { $0.key.count == 32 })
  }

  @Test(arguments: Loss.allCases) func `that is lost is written again by maintenance, and the doctor names it`(
    _ loss: Loss
  ) async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert([.sample("secret"), .sample("kept")])
      try await memory.forget(.episodes(["secret"]), in: .everything)
    }
    try Self.lose(loss, in: store.path + "/backups")
    func findings() async throws -> [Diagnosis.Finding] {
      try await Memory.diagnose(at: store.path, options: .init()).findings.filter { $0.code == "receipts-unreadable" }
    }
    #expect(try await findings().count == 1)
    try await store.withMemory { memory in _ = try await memory.maintain() }
    #expect(try await findings().isEmpty)
  }

  @Test func `that is lost keeps a copy without one from being restored, and nothing is changed`() async throws {
    let fixture = try EarlierStoreFixture(version: 10)
    let backup = fixture.directory.file("memory-old.sqlite")
    try FileManager.default.copyItem(atPath: fixture.database, toPath: backup)
    let memory = try await fixture.open()
    let id = try #require(try await memory.episodes(.init(), in: .everything, limit: 1).elements.first?.id)
    try await memory.forget(.episodes([id]), in: .everything)
    try await memory.close()
    try Self.lose(.removed, in: fixture.path + "/backups")
    let key = try Data(contentsOf: URL(filePath: fixture.path + "/backups/receipts.jsonl"))
    // The store that is there knows it.
    let copy = fixture.directory.file("copy")
    try FileManager.default.copyItem(atPath: fixture.path, toPath: copy)
    #expect(try await Memory.restore(backup, to: copy).erasures == 1)
    for name in ["memory.sqlite", "memory.sqlite-lock"] {
      try? FileManager.default.removeItem(atPath: fixture.path + "/" + name)
    }
    let error = await #expect(throws: MemoryError.self) { try await Memory.restore(backup, to: fixture.path) }
    #expect(error?.code == .unavailable && error?.message.contains("receipts.key") == true, "\(error?.message ?? "")")
    #expect(!FileManager.default.fileExists(atPath: fixture.database))
    try FileManager.default.removeItem(atPath: fixture.path + "/backups/receipts.jsonl")
    #expect(try await Memory.restore(backup, to: fixture.path).erasures == 0)
    #expect(!key.isEmpty)
  }

  @Test func `does not help with a line that cannot be read, which a restore and the doctor name`() async throws {
    let store = try Store()
    let backup = try await store.withMemory { memory in
      try await memory.insert([.sample("secret"), .sample("kept")])
      let backup = try await memory.backUp()
      try await memory.forget(.episodes(["secret"]), in: .everything)
      return backup
    }
    let path = store.path + "/backups/receipts.jsonl"
    let line = try Data(contentsOf: URL(filePath: path))
    // A crash cut the first short, and the second is damaged.
    try (line.prefix(40) + Data("\n".utf8) + line + line.prefix(30)).write(to: URL(filePath: path))
    #expect(try ReceiptFile(in: store.path + "/backups").faults().map { $0.contains("1 of 2 lines") } == [true])
    let findings = try await Memory.diagnose(at: store.path, options: .init()).findings
    #expect(findings.contains { $0.code == "receipts-unreadable" && $0.subject == path })
    let report = try await Memory.restore(backup.path, to: store.path)
    #expect(report.erasures == 1 && report.faults.contains { $0.contains("receipts.jsonl") }, "\(report.faults)")
    #expect(try await store.present("secret", "kept") == ["kept"])
  }
}
