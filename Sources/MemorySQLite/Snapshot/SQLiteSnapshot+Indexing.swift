import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

extension SQLiteSnapshot {
  func episodes<Failure: PrimaryFailure>(
    _ rows: RowSelection, _ body: (IndexedEpisode) throws(Failure) -> Bool
  ) throws(Failure) {
    try reading(orThrow: Failure.self) {
      var attributes = AttributeColumns()
      try IndexedRows.episodes.forEach(rows, db) { row in
        let texts = row.isNull(2) ? [row.bytes(1)] : [row.bytes(1), row.bytes(2)]
        return try body(
          IndexedEpisode(
            row: row.integer(0), attributes: attributes.read(row, from: 5),
            successRate: row.isNull(4) ? nil : row.double(4), texts: texts, labels: row.isNull(3) ? nil : row.bytes(3)))
      }
    }
  }

  func steps<Failure: PrimaryFailure>(
    _ rows: RowSelection, _ body: (IndexedStep) throws(Failure) -> Bool
  ) throws(Failure) {
    try reading(orThrow: Failure.self) {
      try IndexedRows.steps.forEach(rows, db) { row in
        var texts = [row.bytes(2)]
        for column in 3...5 as ClosedRange<Int32> where !row.isNull(column) { texts.append(row.bytes(column)) }
        return try body(IndexedStep(row: row.integer(0), episode: row.integer(1), texts: texts))
      }
    }
  }

  func vectors<Failure: PrimaryFailure>(
    _ rows: RowSelection, _ body: (IndexedVector) throws(Failure) -> Bool
  ) throws(Failure) {
    try reading(orThrow: Failure.self) {
      var attributes = AttributeColumns()
      // Names that Swift compares equal would be one space in an index; in the primary they are several.
      var model = RepeatedText(isComposed: true)
      try IndexedRows.vectors.forEach(rows, db) { row in
        try body(
          IndexedVector(
            row: row.integer(0), episode: row.integer(1), attributes: attributes.read(row, from: 5),
            model: model.text(row.bytes(2)), dimensions: Int(row.integer(3)), components: row.bytes(4)))
      }
    }
  }

  func lastRow(of table: IndexedTable) throws(MemoryError) -> Int64 {
    try reading {
      var rows = try RawStatement("SELECT max(seq) FROM \(table.name)", db)
      return try rows.step() ? rows.integer(0) : 0
    }
  }
}

extension IndexedTable {
  fileprivate var name: String {
    switch self {
    case .episodes: "episodes"
    case .steps: "steps"
    case .vectors: "embeddings"
    }
  }
}

/// The queries that read a table for the indexes, in order of rows.
struct IndexedRows: Sendable {
  /// One row by its key.
  let one: String
  /// The rows after a key, in order; arguments: key, limit.
  let following: String
  /// The keys of the rows of an episode, by the episode's key; `nil` for the table `episodes`.
  let ofEpisode: String?

  private init(_ select: String, key: String, ofEpisode: String?, where condition: String = "") {
    one = "\(select) WHERE \(DeletedEpisodes.excluded)\(condition) AND \(key) = ?"
    following = "\(select) WHERE \(DeletedEpisodes.excluded)\(condition) AND \(key) > ? ORDER BY \(key) LIMIT ?"
    self.ofEpisode = ofEpisode
  }

  static let episodes = IndexedRows(
    "SELECT e.seq, e.context, e.added, e.labels, e.success_rate, \(AttributeColumns.columns) FROM episodes e",
    key: "e.seq", ofEpisode: nil)

  // CROSS JOIN keeps the first table the outer loop.
  static let steps = IndexedRows(
    "SELECT s.seq, e.seq, s.action, s.result, s.tool, s.added FROM steps s CROSS JOIN episodes e ON e.id = s.episode_id",
    key: "s.seq",
    ofEpisode: "SELECT s.seq FROM episodes e CROSS JOIN steps s ON s.episode_id = e.id WHERE e.seq = ?")

  static let vectors = IndexedRows(
    """
    SELECT m.seq, e.seq, m.model_name, m.dimensions, m.embedding, \(AttributeColumns.columns)
    FROM embeddings m CROSS JOIN episodes e ON e.id = m.episode_id
    """,
    key: "m.seq",
    ofEpisode: "SELECT m.seq FROM episodes e CROSS JOIN embeddings m ON m.episode_id = e.id WHERE e.seq = ?",
    // What is encrypted is searched in the primary.
    where: " AND m.sealed IS NULL")

  /// Calls `body` with each selected row that exists, once and in order, until it returns false.
  func forEach(
    _ selection: RowSelection, _ db: Database, _ body: (borrowing RawStatement) throws -> Bool
  ) throws {
    switch selection {
    case .after(let row, let limit):
      var rows = try RawStatement(following, db)
      try rows.bind(row)
      try rows.bind(Int64(limit))
      while try rows.step(), try body(rows) {}
    case .listed(let keys):
      var rows = try RawStatement(one, db)
      var last: Int64?
      for key in keys.sorted() where key != last {
        last = key
        try rows.bind(key)
        if try rows.step() {
          guard try body(rows) else { return }
          rows.reset()
        }
      }
    case .ofEpisodes(let episodes):
      try forEach(.listed(keys(ofEpisodes: episodes, db)), db, body)
    }
  }

  private func keys(ofEpisodes episodes: [Int64], _ db: Database) throws -> [Int64] {
    guard let ofEpisode else { return episodes }
    var keys: [Int64] = []
    var rows = try RawStatement(ofEpisode, db)
    for episode in episodes {
      try rows.bind(episode)
      while try rows.step() { keys.append(rows.integer(0)) }
    }
    return keys
  }
}

/// Reads the columns of scopes and filters; consecutive rows mostly repeat their values.
struct AttributeColumns {
  /// In the order in which `read` decodes them.
  static let columns = "e.domain, e.session, e.task_type, e.status, e.created_at, e.least_trust"

  private var domain = RepeatedText()
  private var session = RepeatedText()
  private var taskTypeText = RepeatedText()
  private var taskType = TaskType("")
  private var statusText = RepeatedText()
  private var status = Episode.Status.active

  /// - Parameter first: The index of the first of these columns in the row.
  mutating func read(_ row: borrowing RawStatement, from first: Int32) -> EpisodeAttributes {
    let newTaskType = taskTypeText.text(row.bytes(first + 2))
    // By bytes, as SQLite compares: Swift's `==` treats different names in the primary as equal.
    if !newTaskType.utf8.elementsEqual(taskType.rawValue.utf8) { taskType = TaskType(newTaskType) }
    let newStatus = statusText.text(row.bytes(first + 3))
    if newStatus != status.rawValue { status = Episode.Status(stored: newStatus) }
    return EpisodeAttributes(
      domain: domain.text(row.bytes(first)), session: row.isNull(first + 1) ? nil : session.text(row.bytes(first + 1)),
      taskType: taskType, status: status, trust: Trust(stored: row.integer(first + 5)),
      createdAt: Timestamp(milliseconds: row.integer(first + 4)))
  }
}
