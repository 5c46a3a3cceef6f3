import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Records that a run or a task read, wrote, created or deleted a file.
  ///
  /// - Throws: `.notFound` if the run or the task is not there; `.invalid` without both; `.limitExceeded`.
  public func record(_ access: FileAccess.Draft) async throws(MemoryError) { try await record([access]) }

  /// Records file accesses in one commit, or none of them.
  public func record(_ accesses: [FileAccess.Draft]) async throws(MemoryError) {
    let input = database.input
    try input.batch(accesses.count, "file accesses")
    for access in accesses {
      try input.name(access.path, "the file's path")
      try input.identifier(access.run, "the file access's run")
      try input.identifier(access.task, "the file access's task")
      try input.time(access.at, "the file access's time")
      if access.run == nil, access.task == nil {
        throw MemoryError(
          .invalid, "the access of \(access.path.shortened(to: 60)) has no run and no task; say who did it")
      }
    }
    try await database.write(FileAccessAppend(accesses: accesses), in: appends.files)
  }

  /// File accesses by path, run or task, newest first.
  ///
  /// - Parameter last: The number of the last one of the page before; `nil` for the first page.
  /// - Parameter limit: 1 to `limits.results`.
  public func fileAccesses(
    _ filter: FileAccess.Filter = .init(), after last: Int64? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [FileAccess] {
    try database.input.page(limit)
    let conditions = FileAccessRow.conditions(filter, after: last)
    return try await database.read { db in
      try Row.fetchAll(
        db, sql: FileAccessRow.list(conditions), arguments: conditions.arguments + [limit]
      ).map(FileAccessRow.access)
    }
  }
}
