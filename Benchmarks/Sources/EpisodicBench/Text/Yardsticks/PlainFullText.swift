import GRDBSQLite

/// Queries the full-text index of a store in plain SQL: every match is ranked, the best ten are kept.
final class PlainFullText {
  private let connection: PlainConnection
  private let everywhere: OpaquePointer?
  private let byTaskType: OpaquePointer?
  private let byDomain: OpaquePointer?

  /// - Throws: If the rows of the store are not its episodes by number.
  init(store: String) throws {
    connection = try PlainConnection(path: store + "/memory.sqlite", flags: SQLITE_OPEN_READONLY)
    try connection.execute("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY")
    everywhere = try connection.prepare(
      """
      SELECT rowid, bm25(episodes_text) FROM episodes_text
      WHERE episodes_text MATCH ? ORDER BY bm25(episodes_text) LIMIT 10
      """)
    byTaskType = try connection.prepare(Self.filtered(by: "task_type"))
    byDomain = try connection.prepare(Self.filtered(by: "domain"))
    let strangers = try connection.prepare(
      "SELECT count(*) FROM episodes WHERE CAST(substr(id, 2) AS INTEGER) + 1 <> seq")
    defer { sqlite3_reset(strangers) }
    guard sqlite3_step(strangers) == SQLITE_ROW, sqlite3_column_int64(strangers, 0) == 0 else {
      throw BenchError("\(store) holds episodes that are not those of the benchmark")
    }
  }

  private static func filtered(by column: String) -> String {
    """
    SELECT e.seq, bm25(episodes_text) FROM episodes_text CROSS JOIN episodes e ON e.seq = episodes_text.rowid
    WHERE episodes_text MATCH ? AND e.\(column) = ? ORDER BY bm25(episodes_text) LIMIT 10
    """
  }

  /// - Returns: At most ten, best first.
  func best(_ question: Question) throws -> [RankedRow] {
    switch question.filter {
    case nil: try best(question, everywhere)
    case .taskType: try best(question, byTaskType, Portion.tenth.name)
    case .domain: try best(question, byDomain, Portion.hundredth.name)
    }
  }

  private func best(_ question: Question, _ statement: OpaquePointer?, _ filter: String) throws -> [RankedRow] {
    try connection.binding(filter, at: 2, of: statement) { try best(question, statement) }
  }

  private func best(_ question: Question, _ statement: OpaquePointer?) throws -> [RankedRow] {
    try connection.binding(question.expression, at: 1, of: statement) {
      defer { sqlite3_reset(statement) }
      var rows: [RankedRow] = []
      while true {
        switch sqlite3_step(statement) {
        case SQLITE_ROW:
          let row = Int(sqlite3_column_int64(statement, 0))
          rows.append(RankedRow(number: row - 1, score: -sqlite3_column_double(statement, 1)))
        case SQLITE_DONE: return rows
        default: throw connection.error
        }
      }
    }
  }
}

/// A file with only an FTS5 table of the same tokenizer.
final class PlainTextWriter {
  private let connection: PlainConnection
  private let begin: OpaquePointer?
  private let insert: OpaquePointer?
  private let commit: OpaquePointer?

  init(path: String) throws {
    connection = try PlainConnection(path: path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    // The library checkpoints at as many frames.
    try connection.execute(
      """
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2048;
      PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;
      CREATE VIRTUAL TABLE texts USING fts5 (context, tokenize = 'porter unicode61 remove_diacritics 2');
      """)
    begin = try connection.prepare("BEGIN IMMEDIATE")
    insert = try connection.prepare("INSERT INTO texts (context) VALUES (?)")
    commit = try connection.prepare("COMMIT")
  }

  /// One transaction.
  func insert(_ texts: [String]) throws {
    try run(begin)
    for text in texts { try connection.binding(text, at: 1, of: insert) { try run(insert) } }
    try run(commit)
  }

  private func run(_ statement: OpaquePointer?) throws {
    defer { sqlite3_reset(statement) }
    guard sqlite3_step(statement) == SQLITE_DONE else { throw connection.error }
  }
}

/// A connection to SQLite through its C interface, with statements that stay prepared.
final class PlainConnection {
  private let connection: OpaquePointer?
  private var statements: [OpaquePointer?] = []

  init(path: String, flags: Int32) throws {
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
    connection = opened
    guard code == SQLITE_OK else { throw error }
    sqlite3_busy_timeout(opened, 30_000)
  }

  deinit {
    for statement in statements { sqlite3_finalize(statement) }
    sqlite3_close(connection)
  }

  /// The message of the last error.
  var error: BenchError { BenchError("SQLite in C: \(String(cString: sqlite3_errmsg(connection)))") }

  func execute(_ sql: String) throws {
    guard sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK else { throw error }
  }

  /// - Returns: A statement that lives as long as the connection.
  func prepare(_ sql: String) throws -> OpaquePointer? {
    var prepared: OpaquePointer?
    guard sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil) == SQLITE_OK
    else { throw error }
    statements.append(prepared)
    return prepared
  }

  /// Binds a text that outlives the statement's use of it for as long as `body` runs.
  func binding<Result>(
    _ text: String, at place: Int32, of statement: OpaquePointer?, _ body: () throws -> Result
  ) throws -> Result {
    var text = text
    return try text.withUTF8 { bytes in
      try bytes.withMemoryRebound(to: CChar.self) { characters in
        guard sqlite3_bind_text(statement, place, characters.baseAddress, Int32(characters.count), nil) == SQLITE_OK
        else { throw error }
        return try body()
      }
    }
  }
}
