import Foundation
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

@Suite struct `Backups of a ledger` {
  let clock = ManualClock()

  private func ledger(_ directory: TemporaryDirectory) async throws -> Ledger {
    var options = Ledger.OpenOptions()
    options.clock = clock
    return try await Ledger.open(at: directory.path, options: options)
  }

  @Test func `a backup has everything, and a restore keeps what was there`() async throws {
    let directory = try TemporaryDirectory()
    var ledger = try await ledger(directory)
    let before = try await ledger.add(Ledger.Task.Draft("visit", domain: "web")).task
    let backup = try await ledger.backUp()
    #expect(backup.path == directory.path + "/backups/ledger-20260101T000000Z.sqlite")
    #expect(backup.rows["tasks"] == 1 && backup.faults.isEmpty)
    let cursor = try await ledger.changeCursor()
    let after = try await ledger.add(Ledger.Task.Draft("visit", domain: "web")).task
    try await ledger.close()

    let restored = try await Ledger.restore(backup.path, to: directory.path, clock: clock)
    #expect(restored.damage == nil && restored.rows["tasks"] == 1)
    ledger = try await self.ledger(directory)
    #expect(try await ledger.task(before.id) == before)
    #expect(try await ledger.task(after.id) == nil)
    #expect(try await ledger.check().allSatisfy { $0.outcome == .passed })
    // Another history: a cursor of before says so.
    for try await element in ledger.changes(after: cursor) {
      #expect(element == .gap(.otherHistory))
      break
    }
    try await ledger.close()

    let kept = try #require(restored.kept.first)
    _ = try await Ledger.restore(kept, to: directory.path, clock: clock)
    ledger = try await self.ledger(directory)
    #expect(try await ledger.task(after.id) == after)
    try await ledger.close()
  }

  @Test func `the newest backups of a folder are kept`() async throws {
    let (directory, folder) = (try TemporaryDirectory(), try TemporaryDirectory())
    let ledger = try await ledger(directory)
    var paths: [String] = []
    for _ in 0..<4 {
      paths.append(try await ledger.backUp(to: folder.path + "/", keep: 2).path)
      clock.advance(by: .seconds(1))
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names.map { folder.path + "/" + $0 } == Array(paths.suffix(2)))
    #expect(await refusal { try await ledger.backUp(to: folder.file("one.sqlite"), keep: 2) } == .invalid)
    try await ledger.backUp(to: folder.file("one.sqlite"))
    #expect(await refusal { try await ledger.backUp(to: folder.file("one.sqlite")) } == .unavailable)
    try await ledger.close()
  }

  @Test func `what is no whole ledger is not restored, and changes nothing`() async throws {
    let directory = try TemporaryDirectory()
    let ledger = try await ledger(directory)
    let task = try await ledger.add(Ledger.Task.Draft("visit", domain: "web")).task
    let backup = try await ledger.backUp().path
    let text = directory.file("text.sqlite")
    try "no database, but long enough to look like one".write(toFile: text, atomically: true, encoding: .utf8)
    let cut = directory.file("cut.sqlite")
    let bytes = try Data(contentsOf: URL(filePath: backup))
    try bytes.prefix(bytes.count / 2).write(to: URL(filePath: cut))
    for path in [text, cut, directory.file("nothing.sqlite"), directory.path + "/ledger.sqlite"] {
      #expect(await refusal { try await Ledger.restore(path, to: directory.path, clock: clock) } != nil, "\(path)")
    }
    #expect(try await ledger.task(task.id) == task)
    try await ledger.close()
  }
}
