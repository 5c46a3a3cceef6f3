import Testing

@testable import AgentLedger
@testable import SQLiteStorage

@Suite struct `The schema of a ledger` {
  @Test func `the digest compared on opening is that of the schema the migrations create`() throws {
    let digest = try SchemaObjects(madeBy: LedgerSchema.migrations).digest
    #expect(LedgerSchema.digest == digest)
  }
}
