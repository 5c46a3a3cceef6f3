import GRDB
import StoreValues

@testable import AgentLedger

/// Fills each large table of an empty ledger.
struct LedgerFiller {
  let rows: Int
  let now: Timestamp

  func fill(_ ledger: Ledger) async throws {
    for sql in LedgerRows.statements {
      try await ledger.database.write { db, _ in
        let statement = try db.makeStatement(sql: sql)
        try statement.execute(arguments: LedgerRows.arguments(of: sql, rows: rows, now: now.milliseconds))
      }
    }
  }
}
