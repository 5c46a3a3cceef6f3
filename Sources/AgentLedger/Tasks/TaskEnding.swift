import GRDB
import StoreValues

/// What is written beside the end of an attempt, in the same transaction.
struct TaskEnding: Sendable {
  private let result: NewResult?
  private let message: NewMessage?

  init(
    result: Ledger.TaskResult.Draft?, message: Ledger.OutboxMessage.Draft?, _ input: LedgerInput
  ) throws(MemoryError) {
    if let result { self.result = try NewResult(result, input) } else { self.result = nil }
    if let message { self.message = try NewMessage(message, input) } else { self.message = nil }
  }

  func write(for task: Ledger.Task.ID, success: Bool, error: String?, at now: Timestamp, _ db: Database) throws {
    let id = try result?.insert(for: task, success: success, error: error, at: now, db)
    _ = try message?.insert(of: id, at: now, db)
  }
}
