import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// Rows of `file_accesses`.
enum FileAccessRow {
  static let columns = "seq, path, operation, run_id, task_id, at"

  static func access(_ row: Row) throws -> Ledger.FileAccess {
    Ledger.FileAccess(
      number: try row.value(0), path: try row.text(1), operation: try row.closed(2), run: try row.id(ifAny: 3),
      task: try row.id(ifAny: 4), at: try row.time(5))
  }

  /// Newest first; the last parameter is the limit.
  static func list(_ conditions: RowConditions) -> String {
    "SELECT \(columns) FROM file_accesses \(conditions.clause) ORDER BY seq DESC LIMIT ?"
  }

  static func conditions(_ filter: Ledger.FileAccess.Filter, after last: Int64?) -> RowConditions {
    var conditions = RowConditions()
    conditions.add("path = ?", filter.path)
    conditions.add("run_id = ?", filter.run?.rawValue)
    conditions.add("task_id = ?", filter.task?.rawValue)
    conditions.add("operation = ?", filter.operation?.rawValue)
    conditions.add("seq < ?", last)
    return conditions
  }

  private static let insertion = RowInsert(into: "file_accesses", "path, operation, run_id, task_id, at")

  static func insert(_ accesses: [Ledger.FileAccess.Draft], at now: Timestamp, _ db: Database) throws {
    try insertion(accesses, db) { access, row in
      try row.bind(access.path)
      try row.bind(access.operation.rawValue)
      try row.bind(access.run?.rawValue)
      try row.bind(access.task?.rawValue)
      try row.bind((access.at ?? now).milliseconds)
    }
  }
}

/// A request to record file accesses, which have been checked.
struct FileAccessAppend: Sendable {
  let accesses: [Ledger.FileAccess.Draft]

  /// Requests that share a commit share INSERT statements too.
  static func batch(_ database: LedgerDatabase) -> BatchedWrite<FileAccessAppend, Void> {
    database.batch { appends, db, now in
      var known = KnownRows()
      var rows: [Ledger.FileAccess.Draft] = []
      let results = try appends.map { append in
        do {
          try append.requireReferences(&known, db)
          rows += append.accesses
          return Result<Void, any Error>.success(())
        } catch let error as MemoryError where error.code != .corrupted {
          return .failure(error)
        }
      }
      try FileAccessRow.insert(rows, at: now, db)
      return results
    }
  }

  private func requireReferences(_ known: inout KnownRows, _ db: Database) throws {
    for access in accesses {
      if let run = access.run, try known.lacks(run, .runs, db) { throw MemoryError.noRun(run) }
      if let task = access.task, try known.lacks(task, .tasks, db) { throw MemoryError.noTask(task) }
    }
  }
}
