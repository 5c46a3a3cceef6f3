import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

extension Ledger {
  /// Erases runs for good: with their prompts, tool calls, events and files, and with the tasks that they were of, whose words
  /// they repeat, the results of these and what of them is still to be delivered. Then no byte of it is left in the files.
  ///
  /// Cost: that of writing the whole ledger anew.
  ///
  /// - Parameter runs: May be empty: then what an earlier call has left in the files is removed.
  /// - Returns: How many there were.
  /// - Throws: `.busy` if a reader kept the log all the time: what is in it goes with the next call.
  @discardableResult
  package func erase(runs: [Run.ID]) async throws(MemoryError) -> Int {
    if runs.isEmpty, try await !hasTraces() { return 0 }
    let erased = try await database.write(grows: false) { db, now in
      var count = 0
      // Until the files are clean: a call that is cut short leaves no rows by which another would find that they are not.
      try Setting.set(Self.tracesSetting, to: true, at: now, db)
      for run in runs {
        let task = try String.fetchOne(db, sql: "SELECT task_id FROM runs WHERE id = ?", arguments: [run.rawValue])
        try db.execute(sql: "DELETE FROM runs WHERE id = ?", arguments: [run.rawValue])
        count += db.changesCount
        guard let task else { continue }
        for sql in [
          "DELETE FROM outbox WHERE result_id IN (SELECT id FROM results WHERE task_id = ?)",
          "DELETE FROM tasks WHERE id = ?", "DELETE FROM tasks_archive WHERE id = ?",
        ] { try db.execute(sql: sql, arguments: [task]) }
      }
      return count
    }
    try await removeTraces()
    return erased
  }

  /// The ids of all runs.
  package func runIDs() async throws(MemoryError) -> [Run.ID] {
    try await database.read { db in
      try String.fetchAll(db, sql: "SELECT id FROM runs").map { Run.ID(composed: $0) }
    }
  }

  /// Writes the database anew, without what rows that were deleted left in it, and empties the log.
  private func removeTraces() async throws(MemoryError) {
    let isEmptied: Bool
    do {
      try await database.stored.maintain { db in try db.execute(sql: "VACUUM") }
      isEmptied = try await database.stored.truncateLog(waitingAtMost: .seconds(5))
    } catch {
      throw database.explained(error)
    }
    guard isEmptied else {
      throw MemoryError(
        .busy,
        "a reader keeps the log of \(database.stored.path), which may have what was erased; end it, and erase again")
    }
    try await database.write(grows: false) { db, now in try Setting.set(Self.tracesSetting, to: nil, at: now, db) }
  }

  private static let tracesSetting = "erasure.traces"

  /// Whether an erasure was cut short before the files were clean.
  private func hasTraces() async throws(MemoryError) -> Bool {
    try await database.read { db in try Setting.value(Self.tracesSetting, db) != nil }
  }
}
