package import GRDB
import GRDBSQLite

/// A statement whose values are bound and read as SQLite holds them, for loops over many rows: GRDB's own rows cost
/// several times what SQLite does.
///
/// Bind in the order of the parameters and then, before another of the same text is made, `step` through the rows or
/// `execute` what has none. What a column lends is gone with the next step. Types are not checked: SQLite converts what
/// is not of the type asked for.
package struct RawStatement: ~Copyable {
  private let statement: Statement
  private let handle: OpaquePointer
  private var bound: Int32 = 0

  /// Takes the statement from the connection's cache; prepares another if that one is in the midst of its rows.
  package init(_ sql: String, _ db: Database) throws {
    self.init(try Self.idle(sql, db))
  }

  /// Binds all parameters at once, as GRDB does.
  package init(_ sql: String, _ arguments: StatementArguments, _ db: Database) throws {
    let statement = try Self.idle(sql, db)
    try statement.setArguments(arguments)
    self.init(statement)
  }

  private init(_ statement: Statement) {
    self.statement = statement
    handle = statement.sqliteStatement
  }

  private static func idle(_ sql: String, _ db: Database) throws -> Statement {
    let cached = try db.cachedStatement(sql: sql)
    guard sqlite3_stmt_busy(cached.sqliteStatement) == 0 else { return try db.makeStatement(sql: sql) }
    sqlite3_reset(cached.sqliteStatement)
    return cached
  }

  deinit {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }

  // MARK: Binding

  package mutating func bind(_ value: Int64) throws {
    bound += 1
    try check(sqlite3_bind_int64(handle, bound, value))
  }

  package mutating func bind(_ value: Int64?) throws {
    guard let value else { return try bindNull() }
    try bind(value)
  }

  package mutating func bind(_ value: Double?) throws {
    guard let value else { return try bindNull() }
    bound += 1
    try check(sqlite3_bind_double(handle, bound, value))
  }

  package mutating func bind(_ value: String) throws {
    bound += 1
    var value = value
    let code = value.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { text in
        // Text of no length must not have a null pointer, which would bind NULL.
        sqlite3_bind_text64(handle, bound, text.baseAddress ?? Self.noText, UInt64(text.count), Self.copied, Self.utf8)
      }
    }
    try check(code)
  }

  package mutating func bind(_ value: String?) throws {
    guard let value else { return try bindNull() }
    try bind(value)
  }

  /// Binds a text by its bytes, which need not be UTF-8; copies them.
  package mutating func bind(text bytes: UnsafeRawBufferPointer) throws {
    bound += 1
    let text = bytes.assumingMemoryBound(to: CChar.self)
    let code = sqlite3_bind_text64(
      handle, bound, text.baseAddress ?? Self.noText, UInt64(text.count), Self.copied, Self.utf8)
    try check(code)
  }

  /// Binds a blob; copies it.
  package mutating func bind(_ bytes: UnsafeRawBufferPointer) throws {
    bound += 1
    let code =
      bytes.isEmpty
      ? sqlite3_bind_zeroblob(handle, bound, 0)
      : sqlite3_bind_blob64(handle, bound, bytes.baseAddress, UInt64(bytes.count), Self.copied)
    try check(code)
  }

  /// Binds a blob; copies it.
  package mutating func bind(blob bytes: [UInt8]?) throws {
    guard let bytes else { return try bindNull() }
    try bytes.withUnsafeBytes { try bind($0) }
  }

  package mutating func bindNull() throws {
    bound += 1
    try check(sqlite3_bind_null(handle, bound))
  }

  private static let utf8 = UInt8(SQLITE_UTF8)
  /// Has SQLite copy what is bound (`SQLITE_TRANSIENT`).
  private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
  private static var noText: UnsafePointer<CChar> {
    StaticString("").utf8Start.withMemoryRebound(to: CChar.self, capacity: 1) { $0 }
  }

  // MARK: Running

  /// Moves to the next row; behind the last one, resets the statement to be bound again.
  ///
  /// - Throws: `DatabaseError`; the statement is reset then, too.
  package mutating func step() throws -> Bool {
    let code = sqlite3_step(handle)
    if code == SQLITE_ROW { return true }
    reset()
    guard code == SQLITE_DONE else { throw error(code) }
    return false
  }

  /// Runs what gives no rows.
  package mutating func execute() throws {
    while try step() {}
  }

  /// Skips the remaining rows and resets the statement to be bound again.
  package mutating func reset() {
    bound = 0
    sqlite3_reset(handle)
  }

  // MARK: Columns of the row

  package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
  package func double(_ column: Int32) -> Double { sqlite3_column_double(handle, column) }
  package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

  /// The bytes of a blob, or of a text in UTF-8; none if it is NULL. Lent until the next step.
  package func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
    let start = sqlite3_column_blob(handle, column)
    return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
  }

  /// The value of a column; `nil` if it cannot be one of this type.
  package func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(
    ofColumn column: Int32, as type: Value.Type = Value.self
  ) -> Value? {
    Value.fromStatement(handle, atUncheckedIndex: column)
  }

  package func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

  // MARK: Errors

  private func check(_ code: CInt) throws {
    guard code == SQLITE_OK else { throw error(code) }
  }

  private func error(_ code: CInt) -> DatabaseError {
    let message = sqlite3_errmsg(sqlite3_db_handle(handle)).map { String(cString: $0) }
    return DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: statement.sql)
  }
}
