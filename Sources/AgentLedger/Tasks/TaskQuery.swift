import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// A page of tasks by filter, newest first.
struct TaskQuery {
  private var conditions: [String] = []
  private var arguments: StatementArguments = []

  init(_ filter: Ledger.Task.Filter) {
    add("status = ?", filter.status?.rawValue)
    add("domain = ?", filter.domain?.canonicallyComposed)
    add("session = ?", filter.session?.canonicallyComposed)
    add("type = ?", filter.type)
    add("worker_id = ?", filter.worker?.rawValue)
    add("person_id = ?", filter.person?.rawValue)
    add("parent_id = ?", filter.parent?.rawValue)
  }

  private mutating func add(_ condition: String, _ value: String?) {
    guard let value else { return }
    conditions.append(condition)
    arguments += [value]
  }

  /// The first page.
  var sql: String { Self.list(conditions) }

  /// The last parameter is the limit.
  private static func list(_ conditions: [String]) -> String {
    let condition = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
    return "SELECT \(TaskRow.columns) FROM tasks \(condition) ORDER BY created_at DESC, seq DESC LIMIT ?"
  }

  /// - Throws: `.notFound` if the last one of the page before is not there any more.
  func page(after last: Ledger.Task.ID?, limit: Int, _ db: Database) throws -> [Ledger.Task] {
    var (conditions, arguments) = (conditions, arguments)
    if let last {
      guard
        let row = try Row.fetchOne(
          db.cachedStatement(sql: "SELECT created_at, seq FROM tasks WHERE id = ?"), arguments: [last.rawValue])
      else { throw MemoryError.noTask(last) }
      let (created, seq): (Int64, Int64) = (try row.value(0), try row.value(1))
      conditions.append("(created_at, seq) < (?, ?)")
      arguments += [created, seq]
    }
    arguments += [limit]
    var row = try RawStatement(Self.list(conditions), arguments, db)
    var tasks: [Ledger.Task] = []
    while try row.step() { tasks.append(try TaskRow.task(row)) }
    return tasks
  }
}

extension MemoryError {
  static func noTask(_ id: Ledger.Task.ID) -> MemoryError {
    MemoryError(.notFound, "no task \"\(id)\"; look for its id with tasks(_:after:limit:)")
  }
}
