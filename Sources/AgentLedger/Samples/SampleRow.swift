import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// Rows of `series` and `samples`.
enum SampleRow {
  /// A series with the number by which its samples are kept.
  struct StoredSeries {
    let number: Int64
    let series: Ledger.Series
  }

  static let seriesOfName = "SELECT seq, name, labels FROM series WHERE name = ? ORDER BY labels"
  static let allSeries = "SELECT seq, name, labels FROM series ORDER BY name, labels"

  /// Those that have all the labels given.
  static func series(
    _ name: Ledger.Sample.Name?, labels: [String: String], _ db: Database
  ) throws -> [StoredSeries] {
    let name = name?.rawValue.canonicallyComposed
    let rows =
      try name.map { try Row.fetchAll(db.cachedStatement(sql: seriesOfName), arguments: [$0]) }
      ?? Row.fetchAll(db.cachedStatement(sql: allSeries))
    return try rows.compactMap { row in
      let stored = (try row.json(2)).members ?? [:]
      let found = Dictionary(
        stored.map { member in
          if case .string(let text) = member.value {
            (member.name, text)
          } else {
            (member.name, member.value.canonicalText)
          }
        }, uniquingKeysWith: { $1 })
      guard labels.allSatisfy({ found[$0.key] == $0.value }) else { return nil }
      return StoredSeries(number: try row.value(0), series: Ledger.Series(try row.name(1), labels: found))
    }
  }

  // MARK: Samples over a window

  static let overWindow = "SELECT at, value FROM samples WHERE series = ? AND at >= ? AND at < ? ORDER BY at, seq"
  static let latest = """
    SELECT at, value FROM samples WHERE series = ? AND at >= ? AND at < ? ORDER BY at DESC, seq DESC LIMIT ?
    """

  /// Calls `body` with each sample of a series, in the order of their times.
  static func forEach(
    of series: Int64, from start: Timestamp, to end: Timestamp, _ db: Database, _ body: (Int64, Double) -> Void
  ) throws {
    var statement = try RawStatement(overWindow, db)
    try statement.bind(series)
    try statement.bind(start.milliseconds)
    try statement.bind(end.milliseconds)
    while try statement.step() { body(statement.integer(0), statement.double(1)) }
  }

  /// The last ones, newest first.
  static func latest(
    of stored: StoredSeries, from start: Timestamp, to end: Timestamp, limit: Int, _ db: Database
  ) throws -> [Ledger.Sample] {
    try Row.fetchAll(
      db.cachedStatement(sql: latest), arguments: [stored.number, start.milliseconds, end.milliseconds, limit]
    ).map { row in Ledger.Sample(series: stored.series, value: try row.value(1), at: try row.time(0)) }
  }

  // MARK: Inserting

  /// The number of a series, which is made if there is none.
  static func number(name: String, labels: String, _ db: Database) throws -> Int64 {
    let statement = try db.cachedStatement(sql: byNameAndLabels)
    if let number = try Int64.fetchOne(statement, arguments: [name, labels]) { return number }
    try db.cachedStatement(sql: "INSERT INTO series (name, labels) VALUES (?, ?)").execute(arguments: [name, labels])
    return db.lastInsertedRowID
  }

  static let byNameAndLabels = "SELECT seq FROM series WHERE name = ? AND labels = ?"

  /// The last number of the samples of a series at a time; 0 if there is none.
  static func lastNumber(of series: Int64, at time: Int64, _ db: Database) throws -> Int64 {
    let statement = try db.cachedStatement(sql: "SELECT max(seq) FROM samples WHERE series = ? AND at = ?")
    return try Int64.fetchOne(statement, arguments: [series, time]) ?? 0
  }

  struct Stored {
    let series: Int64
    let at: Int64
    let number: Int64
    let value: Double
  }

  private static let insertion = RowInsert(into: "samples", "series, at, seq, value")

  static func insert(_ samples: [Stored], _ db: Database) throws {
    try insertion(samples, db) { sample, row in
      try row.bind(sample.series)
      try row.bind(sample.at)
      try row.bind(sample.number)
      try row.bind(sample.value)
    }
  }
}
