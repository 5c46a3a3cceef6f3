import SQLiteStorage

/// What many callers append in small pieces, so that those that share a commit share its statements.
struct Appends: Sendable {
  let entries: BatchedWrite<EntryAppend, [Ledger.Entry]>
  let responses: BatchedWrite<ResponseAppend, Void>
  let events: BatchedWrite<EventAppend, Void>
  let samples: BatchedWrite<SampleAppend, Void>
  let files: BatchedWrite<FileAccessAppend, Void>
  let signals: BatchedWrite<SignalAppend, Void>

  init(_ database: LedgerDatabase) {
    entries = EntryAppend.batch(database)
    responses = ResponseAppend.batch(database)
    events = EventAppend.batch(database)
    samples = SampleAppend.batch(database)
    files = FileAccessAppend.batch(database)
    signals = database.batch(SignalAppend.perform)
  }
}
