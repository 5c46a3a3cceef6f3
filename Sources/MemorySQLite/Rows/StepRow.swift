import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// Maps `Step` to a row of `steps`.
enum StepRow {
  /// The steps of an episode.
  struct Owner {
    private let id: String
    private let row: Int64
    /// Whether the id was not UTF-8 and was repaired: then the row number of the episode finds its steps.
    private let isRepaired: Bool

    init(_ id: Episode.ID, row: Int64) {
      (self.id, self.row) = (id.rawValue, row)
      isRepaired = id.rawValue.unicodeScalars.contains("\u{FFFD}")
    }

    /// A SQL expression for the stored id, with one argument.
    private var key: String { isRepaired ? "(SELECT id FROM episodes WHERE seq = ?)" : "?" }
    private var argument: any DatabaseValueConvertible { isRepaired ? row : id }

    func all(_ db: Database) throws -> [Step] {
      try fetch(db, "\(StepRow.select) WHERE episode_id = \(key) ORDER BY step_number", [argument])
    }

    /// The last ones, in order.
    func last(_ count: Int, _ db: Database) throws -> [Step] {
      guard count > 0 else { return [] }
      let sql = "\(StepRow.select) WHERE episode_id = \(key) ORDER BY step_number DESC LIMIT ?"
      return try fetch(db, sql, [argument, count]).reversed()
    }

    /// Those after a number.
    func following(_ number: Int, limit: Int, _ db: Database) throws -> [Step] {
      let sql = "\(StepRow.select) WHERE episode_id = \(key) AND step_number > ? ORDER BY step_number LIMIT ?"
      return try fetch(db, sql, [argument, number, limit])
    }

    /// Counts in the index on episode and number.
    func count(_ db: Database) throws -> Int {
      let statement = try db.cachedStatement(sql: "SELECT count(*) FROM steps WHERE episode_id = \(key)")
      return try Int.fetchOne(statement, arguments: [argument]) ?? 0
    }

    private func fetch(_ db: Database, _ sql: String, _ arguments: StatementArguments) throws -> [Step] {
      let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
      var steps: [Step] = []
      while let row = try rows.next() { steps.append(try StepRow.decode(row)) }
      return steps
    }
  }

  private static let select =
    """
    SELECT id, step_number, action, result, tool, duration_ms, success, timestamp, source, source_id, actor, trust FROM steps
    """

  private static func decode(_ row: Row) throws -> Step {
    let duration: Int64? = try row.value(5)
    return Step(
      id: Step.ID(composed: try row.value(0)), number: try row.value(1), action: try row.value(2),
      result: try row.value(3), tool: try row.value(4), duration: duration.map { .milliseconds($0) },
      success: try row.value(6), timestamp: Timestamp(milliseconds: try row.value(7)),
      provenance: try Provenance(row, from: 8))
  }

  private static let insertion = RowInsert(
    into: "steps",
    "id, episode_id, step_number, action, result, tool, duration_ms, success, timestamp, added, source, source_id, actor, trust"
  )

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
      try row.bind(AddedWords.of(action: step.action, result: step.result, tool: step.tool))
      try row.bind(step.provenance)
    }
  }

  static func exists(_ number: Int, of episode: Episode.ID, _ db: Database) throws -> Bool {
    let statement = try db.cachedStatement(sql: "SELECT 1 FROM steps WHERE episode_id = ? AND step_number = ?")
    return try Int.fetchOne(statement, arguments: [episode.rawValue, number]) != nil
  }

  /// The id of the episode of a step; `nil` if there is no such step.
  static func episode(of step: Step.ID, _ db: Database) throws -> String? {
    let statement = try db.cachedStatement(sql: "SELECT episode_id FROM steps WHERE id = ?")
    return try String.fetchOne(statement, arguments: [step.rawValue])
  }
}
