import Foundation
import GRDB
import TestSupport
import Testing

@testable import AgentLedger

@Suite struct `Erasing runs` {
  @Test func `what a reader kept in the log is removed by the next call, though the rows are gone`() async throws {
    let directory = try TemporaryDirectory()
    let ledger = try await Ledger.open(at: directory.path)
    let secret = "violet-otter-4711"
    let run = try await ledger.start(Ledger.Run.Draft(.testing, domain: "web", context: secret, status: .executing))
    try await ledger.finish(run: run.id)
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let reader = try DatabaseQueue(path: directory.file("ledger.sqlite"), configuration: configuration)
    // A transaction that sees the run, and so keeps the log.
    try await reader.writeWithoutTransaction { db in
      try db.execute(sql: "BEGIN")
      #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM runs") == 1)
    }
    await #expect { try await ledger.erase(runs: [run.id]) } throws: { ($0 as? MemoryError)?.code == .busy }
    #expect(try await ledger.run(run.id) == nil)
    try await reader.writeWithoutTransaction { db in try db.execute(sql: "ROLLBACK") }
    try reader.close()
    #expect(try await ledger.erase(runs: []) == 0)
    for file in ["ledger.sqlite", "ledger.sqlite-wal"] {
      let bytes = try Data(contentsOf: URL(filePath: directory.file(file)))
      #expect(bytes.firstRange(of: Data(secret.utf8)) == nil, "\(file)")
    }
    try await ledger.close()
  }
}
