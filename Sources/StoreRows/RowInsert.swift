package import GRDB
package import SQLiteStorage

/// Inserts up to 32 rows per statement: at the end of each statement FTS5 writes a segment of its index, and SQLite saves
/// each page it changes so that the statement can be rolled back.
package struct RowInsert: Sendable {
  private static let rowsPerStatement = 32

  private let head: String
  private let row: String
  private let full: String

  package init(into table: String, _ columns: String) {
    head = "INSERT INTO \(table) (\(columns)) VALUES "
    row = "(" + columns.split(separator: ",").map { _ in "?" }.joined(separator: ", ") + ")"
    full = Self.statement(head, row, Self.rowsPerStatement)
  }

  private static func statement(_ head: String, _ row: String, _ count: Int) -> String {
    head + repeatElement(row, count: count).joined(separator: ", ")
  }

  /// - Parameter bind: Binds the columns of one row, in order.
  package func callAsFunction<Value>(
    _ values: [Value], _ db: Database, bind: (Value, inout RawStatement) throws -> Void
  ) throws {
    var rest = values[...]
    if rest.count >= Self.rowsPerStatement {
      var statement = try RawStatement(full, db)
      while rest.count >= Self.rowsPerStatement {
        for value in rest.prefix(Self.rowsPerStatement) { try bind(value, &statement) }
        try statement.execute()
        rest = rest.dropFirst(Self.rowsPerStatement)
      }
    }
    guard !rest.isEmpty else { return }
    var statement = try RawStatement(Self.statement(head, row, rest.count), db)
    for value in rest { try bind(value, &statement) }
    try statement.execute()
  }
}
