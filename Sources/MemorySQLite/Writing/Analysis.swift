import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// The columns of episodes and steps with the words added to their texts: filled for rows whose texts other programs wrote or
/// changed.
enum Analysis {
  /// Rows in a transaction: some ten milliseconds.
  static let rowsAtOnce = 1000
  /// Bytes of text after which a transaction ends: some twenty milliseconds.
  fileprivate static let bytesAtOnce = 256 << 10

  /// What the migration calls, which fills the columns of the rows that are there.
  static let functions = [
    DatabaseFunction("episodic_added", argumentCount: 1, pure: true) { values in
      AddedWords.of(context: text(values[0]) ?? "")
    },
    DatabaseFunction("episodic_labels", argumentCount: 3, pure: true) { values in
      AddedWords.labels(
        taskType: text(values[0]) ?? "", session: text(values[1]), metadata: JSON(storedObject: text(values[2]) ?? "{}")
      )
    },
    DatabaseFunction("episodic_added", argumentCount: 3, pure: true) { values in
      AddedWords.of(action: text(values[0]) ?? "", result: text(values[1]), tool: text(values[2]))
    },
  ]

  private static func text(_ value: DatabaseValue) -> String? { String.fromDatabaseValue(value) }

  /// Fills the columns of one episode.
  static func analyse(_ id: Episode.ID, _ db: Database) throws {
    var rows = try RawStatement("\(Table.episodes.select) AND id = ?", db)
    try rows.bind(id.rawValue)
    guard try rows.step() else { return }
    let (row, words) = (rows.integer(0), Table.episodes.words(rows))
    rows.reset()
    try Table.episodes.set(words, of: row, db)
  }

  /// Fills the columns of rows that are not analysed.
  ///
  /// - Returns: How many rows were filled: at most `limit`, and fewer if their texts are long.
  static func analyse(limit: Int, _ db: Database) throws -> Int {
    var (count, bytes) = (0, 0)
    for table in Table.allCases where count < limit && bytes < bytesAtOnce {
      var found: [(row: Int64, words: [String])] = []
      var rows = try RawStatement("\(table.select) AND added IS NULL ORDER BY seq LIMIT ?", db)
      try rows.bind(Int64(limit - count))
      while bytes < bytesAtOnce, try rows.step() {
        found.append((rows.integer(0), table.words(rows)))
        bytes += table.textBytes(rows)
      }
      for (row, words) in found { try table.set(words, of: row, db) }
      count += found.count
    }
    return count
  }

  /// Whether a row is not analysed. One look into an index for each table.
  static func isNeeded(_ db: Database) throws -> Bool {
    for table in Table.allCases {
      var rows = try RawStatement("SELECT 1 FROM \(table.rawValue) WHERE added IS NULL AND sealed IS NULL LIMIT 1", db)
      if try rows.step() { return true }
    }
    return false
  }

  /// Corrects the columns of the rows after one: those that are not analysed, and those whose words are of other texts.
  ///
  /// - Returns: The last row that was read; `nil` if there are no more.
  static func correct(_ table: Table, after row: Int64, _ db: Database) throws -> Int64? {
    var last: Int64?
    var wrong: [(row: Int64, words: [String])] = []
    try table.forEach(after: row, limit: rowsAtOnce, db) { row, words, isRight in
      last = row
      if !isRight { wrong.append((row, words)) }
    }
    for (row, words) in wrong { try table.set(words, of: row, db) }
    return last
  }

  enum Table: String, CaseIterable, Sendable {
    case episodes, steps

    /// Row, the columns, and the texts that they are made of; not of encrypted rows, whose columns hold digests.
    var select: String {
      switch self {
      case .episodes:
        "SELECT seq, added, labels, context, task_type, session, metadata FROM episodes WHERE sealed IS NULL"
      case .steps: "SELECT seq, added, added, action, result, tool FROM steps WHERE sealed IS NULL"
      }
    }

    /// The texts of the columns, in their order.
    func words(_ row: borrowing RawStatement) -> [String] {
      switch self {
      case .episodes:
        [
          AddedWords.of(context: row.text(3)),
          AddedWords.labels(
            taskType: row.text(4), session: row.isNull(5) ? nil : row.text(5), metadata: JSON(storedObject: row.text(6))
          ),
        ]
      case .steps:
        [
          AddedWords.of(
            action: row.text(3), result: row.isNull(4) ? nil : row.text(4), tool: row.isNull(5) ? nil : row.text(5))
        ]
      }
    }

    /// Of the columns that the words are made of.
    func textBytes(_ row: borrowing RawStatement) -> Int {
      (3...(self == .episodes ? 6 : 5) as ClosedRange<Int32>).reduce(0) { $0 + row.bytes($1).count }
    }

    func set(_ words: [String], of row: Int64, _ db: Database) throws {
      let columns = self == .episodes ? "added = ?, labels = ?" : "added = ?"
      let statement = try db.cachedStatement(sql: "UPDATE \(rawValue) SET \(columns) WHERE seq = ?")
      try statement.execute(arguments: StatementArguments(words) + [row])
    }

    /// Calls `body` with the words of each row after one, and whether the columns have them; ends early after long texts.
    func forEach(after row: Int64, limit: Int, _ db: Database, _ body: (Int64, [String], Bool) -> Void) throws {
      var rows = try RawStatement("\(select) AND seq > ? ORDER BY seq LIMIT ?", db)
      try rows.bind(row)
      try rows.bind(Int64(limit))
      var bytes = 0
      while bytes < Analysis.bytesAtOnce, try rows.step() {
        bytes += textBytes(rows)
        let words = words(rows)
        var isRight = true
        for (index, text) in words.enumerated() {
          let column = Int32(index + 1)
          if rows.isNull(column) || !rows.bytes(column).elementsEqual(text.utf8) { isRight = false }
        }
        body(rows.integer(0), words, isRight)
      }
    }
  }
}
