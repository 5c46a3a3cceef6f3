import SQLiteStorage

/// What many callers append in small pieces, so that those that share a commit share its statements.
struct Appends: Sendable {
  let entries: BatchedWrite<EntryAppend, [Ledger.Entry]>
  let responses: BatchedWrite<ResponseAppend, Void>

  init(_ database: LedgerDatabase) {
    entries = EntryAppend.batch(database)
    responses = ResponseAppend.batch(database)
  }
}
