import Episodic
import FileLocks
import Foundation
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `Receipts of erasures` {
  @Test func `are in the order of the commits whatever the clock says, and have no content`() async throws {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    try await memory.insert((0..<3).map { .sample(Episode.ID("secret-\($0)"), context: "hidden \($0)") })
    for number in 0..<3 {
      try await memory.forget(.episodes([Episode.ID("secret-\(number)")]), in: .domain("swift"))
      clock.advance(by: .seconds(number == 0 ? -3600 : 60))
    }
    let receipts = try await memory.receipts()
    #expect(receipts.count == 3 && receipts[1].erasedAt < receipts[0].erasedAt)
    for (number, receipt) in receipts.enumerated() {
      let digest = try await memory.erasureDigest(.episode, of: "secret-\(number)")
      #expect(receipt.selection.kind == "episodes" && receipt.selection.values == [digest])
      #expect(receipt.selection.domain != nil && receipt.cleanedAt != nil)
      let copy = try JSONDecoder().decode(ErasureReceipt.self, from: JSONEncoder().encode(receipt))
      #expect(copy == receipt)
    }
    let text = try String(decoding: JSONEncoder().encode(receipts), as: UTF8.self)
    #expect(!text.contains("secret") && !text.contains("hidden") && !text.contains("swift"))
    try await memory.close()
    let kept = try String(contentsOfFile: store.path + "/backups/receipts.jsonl", encoding: .utf8)
    #expect(kept.split(separator: "\n").count == 3 && !kept.contains("secret"))
    for name in ["receipts.jsonl", "receipts.key"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: store.path + "/backups/" + name)
      #expect((attributes[.posixPermissions] as? Int) == 0o600)
    }
  }

  @Test func `do not verify once an id is used again`() async throws {
    let memory = try await Memory.inMemory()
    try await memory.insert([.sample("e1")])
    let receipt = try await memory.forget(.episodes(["e1"]), in: .everything)
    #expect(try await memory.verify(receipt.id).holds)
    try await memory.insert([.sample("e1", context: "another")])
    let verification = try await memory.verify(receipt.id)
    #expect(!verification.holds && verification.found.map(\.subject) == [.episode])
    await #expect(throws: MemoryError.self) { try await memory.verify("none") }
  }

  @Test func `are told to watchers of their domain as digests, and nothing else of what was erased is`() async throws {
    let memory = try await Memory.inMemory()
    try await memory.insert([.sample("a", domain: "one", steps: ["x"]), .sample("b", domain: "two")])
    let pattern = try await memory.domain("one").record(Pattern.Draft(.optimization, data: ["a": 1]), from: "a")
    try await memory.forget(.episodes(["a"]), in: .everything)
    let ofOne = try await memory.committedChanges(after: .beginning, in: .domain("one"), limit: 100).batch
    let wanted = [
      MemoryChange.Subject.erased(.episode, try await memory.erasureDigest(.episode, of: "a")),
      .erased(.pattern, try await memory.erasureDigest(.pattern, of: pattern.id.rawValue)),
    ]
    #expect(
      ofOne.gap == nil && ofOne.changes.map(\.subject) == wanted && ofOne.changes.allSatisfy { $0.kind == .deleted })
    let ofTwo = try await memory.committedChanges(after: .beginning, in: .domain("two"), limit: 100).batch.changes
    #expect(ofTwo.map(\.subject) == [.episode("b")])
  }

  @Test func `are repeated in a store that an older copy has replaced`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert([.sample("secret", context: "the hidden one of before"), .sample("kept")])
      let pattern = try await memory.record(Pattern.Draft(.optimization, data: ["of": "the hidden one of before"]))
      try await memory.link(pattern.id, to: "secret")
    }
    let copy = store.directory.file("copy.sqlite")
    try FileManager.default.copyItem(atPath: store.path + "/memory.sqlite", toPath: copy)
    try await store.withMemory { memory in
      try await memory.forget(.text("the hidden one of before"), in: .everything)
      // Of after the copy.
      try await memory.insert([.sample("later")])
    }
    let receipts = try ReceiptFile(in: store.path + "/backups").receipts()
    #expect(receipts.count == 1 && receipts[0].traces.count == 2)
    #expect(ErasureReplay.holds(receipts[0], at: copy) == true)

    // In a file of its own, as a restore does.
    let restored = store.directory.file("restored.sqlite")
    try FileManager.default.copyItem(atPath: copy, toPath: restored)
    let report = try ErasureReplay.run(receipts, at: restored, now: Timestamp(Date()))
    #expect(report.receipts == receipts.map(\.receipt.id) && report.counts.episodes == 1 && report.counts.patterns == 1)
    #expect(ErasureReplay.holds(receipts[0], at: restored) == false)
    #expect(try ErasureReplay.run(receipts, at: restored, now: Timestamp(Date())).receipts.isEmpty)
    let bytes = ErasedBytes(directory: store.directory)
    #expect(
      try bytes.files(under: store.directory.path, with: ["the hidden one of before"]).filter {
        $0.hasPrefix("restored")
      }
        == [])

    // By hand, in the place of the store.
    try FileManager.default.removeItem(atPath: store.path + "/memory.sqlite")
    try FileManager.default.copyItem(atPath: copy, toPath: store.path + "/memory.sqlite")
    try await store.withMemory { memory in
      #expect(try await memory.episode("secret") != nil)
      let again = try await memory.resumeErasures()
      #expect(again.map(\.id) == receipts.map(\.receipt.id) && again.allSatisfy { $0.cleanedAt != nil })
      #expect(try await memory.episode("secret") == nil)
      #expect(try await memory.episode("kept") != nil)
      #expect(try await memory.verify(receipts[0].receipt.id).holds)
      #expect(try await memory.resumeErasures().isEmpty)
    }
    #expect(try bytes.files(under: store.path, with: ["the hidden one of before"]) == [])
    try await Store.expectSoundness(of: store.path)
  }

  @Test func `name the copies beside the store that hold what was erased`() async throws {
    let store = try Store()
    try await store.withMemory { memory in try await memory.insert([.sample("kept")]) }
    let backups = store.path + "/backups"
    try FileManager.default.createDirectory(atPath: backups, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: store.path + "/memory.sqlite", toPath: backups + "/memory-1.sqlite")
    try await store.withMemory { memory in try await memory.insert([.sample("secret")]) }
    try FileManager.default.copyItem(atPath: store.path + "/memory.sqlite", toPath: backups + "/memory-2.sqlite")
    try Data("cut".utf8).write(to: URL(filePath: backups + "/memory-3.sqlite"))
    try Data("zip".utf8).write(to: URL(filePath: backups + "/memory-0.sqlite.gz"))
    // What a restore has moved aside.
    try Data("log".utf8).write(to: URL(filePath: backups + "/replaced-1.sqlite-wal"))
    try await store.withMemory { memory in
      let receipt = try await memory.forget(.episodes(["secret"]), in: .everything)
      let named = ["memory-0.sqlite.gz", "memory-2.sqlite", "memory-3.sqlite", "replaced-1.sqlite-wal"]
      #expect(receipt.backups == named)
      #expect(try await memory.receipts().map(\.backups) == [named])
      try FileManager.default.removeItem(atPath: backups + "/memory-2.sqlite")
      #expect(
        try await memory.verify(receipt.id).backups == [
          "memory-0.sqlite.gz", "memory-3.sqlite", "replaced-1.sqlite-wal",
        ])
    }
  }

  @Test func `name every compressed copy but those whose manifest proves that they are of after the erasure`()
    async throws
  {
    let store = try Store()
    let clock = ManualClock()
    try await store.withMemory { memory in try await memory.insert([.sample("kept"), .sample("secret")]) }
    let memory = try await store.open { $0.clock = clock }
    func backUp() async throws -> String {
      clock.advance(by: .seconds(1))
      let backup = try await memory.backUp(options: BackupOptions(compression: .gzip))
      return String(backup.path.split(separator: "/").last ?? "")
    }
    let before = try await backUp()
    // It was still being written when the erasure was committed.
    let path = store.path + "/backups/" + before
    try FileManager.default.setAttributes([.modificationDate: Date.distantFuture], ofItemAtPath: path)
    let receipt = try await memory.forget(.episodes(["secret"]), in: .everything)
    #expect(receipt.backups == [before])
    let after = try await backUp()
    #expect(try await memory.verify(receipt.id).backups == [before])
    try FileManager.default.removeItem(atPath: store.path + "/backups/" + after.replacing(".sqlite.gz", with: ".json"))
    #expect(try await memory.verify(receipt.id).backups == [before, after])
    try await memory.close()
  }

  @Test func `name a copy that is being made also by the name that it will get`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("secret")])
    let backups = store.path + "/backups"
    try FileManager.default.createDirectory(
      atPath: backups, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let drafts = try ["1.sqlite", "2.sqlite", "2.sqlite.gz"].map { try DraftFile(of: "\(backups)/memory-\($0)") }
    let receipt = try await memory.forget(.episodes(["secret"]), in: .everything)
    #expect(
      receipt.backups == [
        "memory-1.sqlite", "memory-1.sqlite.partial", "memory-2.sqlite.gz", "memory-2.sqlite.gz.partial",
        "memory-2.sqlite.partial",
      ])
    for draft in drafts { draft.discard() }
    try await memory.close()
  }
}
