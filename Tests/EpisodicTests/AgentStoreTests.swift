import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct `A memory and its ledger together` {
  private let directory: TemporaryDirectory
  private var store: String { directory.file("store") }

  init() throws { directory = try TemporaryDirectory() }

  private func endedRun(_ store: AgentStore) async throws -> String {
    let run = try await store.ledger.start(
      Ledger.Run.Draft(.testing, domain: "web", context: "the login fails", status: .executing))
    try await store.ledger.add(Ledger.ToolCall.Draft("shell", result: "passed", success: true), to: run.id)
    return try await store.ledger.finish(run: run.id).id.rawValue
  }

  @Test func `maintaining makes episodes of runs that have ended, then does what is due in both`() async throws {
    let opened = try await AgentStore.open(at: store, options: .manual)
    let run = try await endedRun(opened)
    var dry = Ledger.MaintenanceOptions()
    dry.isDryRun = true
    _ = try await opened.maintain(ledger: dry)
    #expect(try await opened.memory.episode(Episode.ID(run)) == nil, "a dry run changes nothing")
    let report = try await opened.maintain()
    #expect(try await opened.memory.episode(Episode.ID(run))?.steps.count == 1)
    #expect(report.ledger.outcomes.first?.step == .retention)
    #expect(report.ledger.outcomes.allSatisfy { !$0.hasFailed } && !report.memory.tasks.isEmpty)
    try await opened.close()
  }

  @Test func `checking passes for a sound store, and names what is wrong in the ledger`() async throws {
    let opened = try await AgentStore.open(at: store, options: .manual)
    _ = try await endedRun(opened)
    let sound = try await opened.check()
    #expect(sound.hasPassed && sound.memory.count > 0 && sound.ledger.map(\.subject) == Ledger.Check.Subject.allCases)
    try await opened.close()
    try await DatabaseQueue(path: store + "/" + Ledger.fileName).write { db in
      try db.execute(sql: "UPDATE page_bytes SET bytes = 1")
    }
    let again = try await AgentStore.open(at: store, options: .manual)
    let found = try await again.check()
    #expect(!found.hasPassed && found.memory.allSatisfy { $0.outcome == .passed })
    #expect(found.ledger.filter { $0.outcome != .passed }.map(\.subject) == [.pages])
    try await again.close()
  }

  @Test func `a ledger that cannot be opened leaves no memory open`() async throws {
    try await AgentStore.open(at: store, options: .manual).close()
    let text = String(repeating: "this is no database. ", count: 500)
    try text.write(toFile: store + "/" + Ledger.fileName, atomically: true, encoding: .utf8)
    let error = await #expect(throws: MemoryError.self) { try await AgentStore.open(at: store, options: .manual) }
    #expect(error?.code == .notAStore)
    // The last connection that is closed removes the log.
    #expect(!FileManager.default.fileExists(atPath: store + "/memory.sqlite-wal"))
  }
}
