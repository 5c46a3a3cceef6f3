import EpisodicMemory
import GRDB
import SQLiteStorage

/// A row of `steps`, between `Step` and its columns.
enum StepRow {
  /// - Parameter row: The row of the episode, which finds its steps where the id is not UTF-8 and had to be repaired.
  static func fetchAll(_ db: Database, of episode: Episode.ID, row: Int64? = nil) throws -> [Step] {
    let isRepaired = row != nil && episode.rawValue.unicodeScalars.contains("\u{FFFD}")
    let statement = try db.cachedStatement(
      sql: """
        SELECT id, step_number, action, result, tool, duration_ms, success, timestamp
        FROM steps WHERE episode_id = \(isRepaired ? "(SELECT id FROM episodes WHERE seq = ?)" : "?") ORDER BY step_number
        """)
    let rows = try Row.fetchCursor(statement, arguments: isRepaired ? [row] : [episode.rawValue])
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

  private static let insertion = RowInsert(
    into: "steps", "id, episode_id, step_number, action, result, tool, duration_ms, success, timestamp")

  static func insert(_ steps: [(episode: Episode.ID, step: Step)], _ db: Database) throws {
    try insertion(steps, db) { entry, row in
      let step = entry.step
      try row.bind(step.id.rawValue)
      try row.bind(entry.episode.rawValue)
      try row.bind(Int64(step.number))
      try row.bind(step.action)
      try row.bind(step.result)
      try row.bind(step.tool)
      try row.bind(step.duration?.milliseconds)
      try row.bind(step.success.map { $0 ? 1 : 0 as Int64 })
      try row.bind(step.timestamp.milliseconds)
    }
  }

  static func exists(_ number: Int, of episode: Episode.ID, _ db: Database) throws -> Bool {
    let statement = try db.cachedStatement(sql: "SELECT 1 FROM steps WHERE episode_id = ? AND step_number = ?")
    return try Int.fetchOne(statement, arguments: [episode.rawValue, number]) != nil
  }

  /// The id of the episode of a step; `nil` where there is no such step.
  static func episode(of step: Step.ID, _ db: Database) throws -> String? {
    let statement = try db.cachedStatement(sql: "SELECT episode_id FROM steps WHERE id = ?")
    return try String.fetchOne(statement, arguments: [step.rawValue])
  }
}
