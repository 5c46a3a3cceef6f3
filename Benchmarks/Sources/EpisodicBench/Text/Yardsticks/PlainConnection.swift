import GRDBSQLite

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

  /// What went wrong last.
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
