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
    /// Of the episode, if it is known.
    private let domain: String?

    init(_ id: Episode.ID, row: Int64, in domain: String?) {
      (self.id, self.row, self.domain) = (id.rawValue, row, domain)
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
      while let row = try rows.next() { steps.append(try StepRow.decode(row, in: domain, db)) }
      return steps
    }
  }

  private static let select =
    """
    SELECT id, step_number, action, result, tool, duration_ms, success, timestamp, source, source_id, actor, trust,
        sealed, episode_id FROM steps
    """

  private static func decode(_ row: Row, in domain: String?, _ db: Database) throws -> Step {
    let duration: Int64? = try row.value(5)
    let id: String = try row.value(0)
    let (action, result, tool): (String, String?, String?)
    func place() throws -> SealedPlace {
      StepTexts.place(id, of: try row.value(13), number: try row.value(1))
    }
    if let sealed = try row.bytes(12) {
      (action, result, tool) = try StepTexts.open(sealed, at: place(), in: domain, db)
    } else {
      if let domain { try KeySession.requirePlain(StepTexts.place(id, of: "", number: 0), in: domain, db) }
      (action, result, tool) = (try row.value(2), try row.value(3), try row.value(4))
    }
    return Step(
      id: Step.ID(composed: id), number: try row.value(1), action: action, result: result, tool: tool,
      duration: duration.map { .milliseconds($0) },
      success: try row.value(6), timestamp: Timestamp(milliseconds: try row.value(7)),
      provenance: try Provenance(row, from: 8))
  }

  private static let insertion = RowInsert(
    into: "steps",
    "id, episode_id, step_number, action, result, tool, duration_ms, success, timestamp, added, source, source_id, actor, trust, sealed"
  )

  static func insert(_ steps: [(episode: Episode.ID, step: Step)], _ db: Database) throws {
    try insertion(steps, db) { entry, row in
      let step = entry.step
      let cipher = try EpisodeRow.cipher(of: entry.episode, db)
      let texts = try StepTexts(step, of: entry.episode.rawValue, cipher, db)
      try row.bind(step.id.rawValue)
      try row.bind(entry.episode.rawValue)
      try row.bind(Int64(step.number))
      try row.bind(texts.action)
      try row.bind(texts.result)
      try row.bind(texts.tool)
      try row.bind(step.duration?.milliseconds)
      try row.bind(step.success.map { $0 ? 1 : 0 as Int64 })
      try row.bind(step.timestamp.milliseconds)
      try row.bind(texts.added)
      try row.bind(step.provenance)
      try row.bind(blob: texts.sealed)
    }
  }

  /// The step in a row, the id of its episode, and whether it is encrypted.
  static func fetch(_ db: Database, row: Int64) throws -> (step: Step, episode: String, isSealed: Bool)? {
    let statement = try db.cachedStatement(sql: "\(select) WHERE seq = ?")
    guard let found = try Row.fetchOne(statement, arguments: [row]) else { return nil }
    return (try decode(found, in: nil, db), try found.value(13), try found.bytes(12) != nil)
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
