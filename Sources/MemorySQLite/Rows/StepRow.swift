import EpisodicMemory
import GRDB

/// A row of `steps`, between `Step` and its columns.
enum StepRow {
  private static let rowsPerStatement = 32

  static func fetchAll(_ db: Database, of episode: Episode.ID) throws -> [Step] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT id, step_number, action, result, tool, duration_ms, success, timestamp
        FROM steps WHERE episode_id = ? ORDER BY step_number
        """)
    let rows = try Row.fetchCursor(statement, arguments: [episode.rawValue])
    var steps: [Step] = []
    while let row = try rows.next() {
      let duration: Int64? = try row.value(5)
      steps.append(
        Step(
          id: Step.ID(composed: try row.value(0)), number: try row.value(1), action: try row.value(2),
          result: try row.value(3), tool: try row.value(4), duration: duration.map { .milliseconds($0) },
          success: try row.value(6), timestamp: Timestamp(milliseconds: try row.value(7))))
    }
    return steps
  }

  /// Inserts steps, many a statement: FTS5 writes a segment of its index at the end of every statement that may have to
  /// be undone, which costs more than the rest of the insert.
  static func insert(_ steps: [(episode: Episode.ID, step: Step)], _ db: Database) throws {
    var rest = steps[...]
    while !rest.isEmpty {
      let chunk = rest.prefix(rowsPerStatement)
      rest = rest.dropFirst(rowsPerStatement)
      let rows = chunk.map { _ in "(?, ?, ?, ?, ?, ?, ?, ?, ?)" }.joined(separator: ", ")
      let statement = try db.cachedStatement(
        sql: """
          INSERT INTO steps (id, episode_id, step_number, action, result, tool, duration_ms, success, timestamp)
          VALUES \(rows)
          """)
      var values: [(any DatabaseValueConvertible)?] = []
      values.reserveCapacity(chunk.count * 9)
      for (episode, step) in chunk {
        values += [
          step.id.rawValue, episode.rawValue, step.number, step.action, step.result, step.tool,
          step.duration?.milliseconds, step.success, step.timestamp.milliseconds,
        ]
      }
      try statement.execute(arguments: StatementArguments(values))
    }
  }

  static func exists(_ number: Int, of episode: Episode.ID, _ db: Database) throws -> Bool {
    let statement = try db.cachedStatement(sql: "SELECT 1 FROM steps WHERE episode_id = ? AND step_number = ?")
    return try Int.fetchOne(statement, arguments: [episode.rawValue, number]) != nil
  }
}
