import CRawSQLite
import GRDBSQLite

/// SQLite's C interface from Swift: prepared statements, one read transaction, every column made a Swift value.
final class PlainSQLite {
  private let connection: OpaquePointer?
  private let begin: OpaquePointer?
  private let commit: OpaquePointer?
  private let episode: OpaquePointer?
  private let steps: OpaquePointer?

  init(path: String) throws {
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    func statement(_ sql: String) -> OpaquePointer? {
      var prepared: OpaquePointer?
      let code = sqlite3_prepare_v3(opened, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
      return code == SQLITE_OK ? prepared : nil
    }
    connection = opened
    begin = statement("BEGIN")
    commit = statement("COMMIT")
    episode = statement(PlainSQL.episode)
    steps = statement(PlainSQL.steps)
    guard code == SQLITE_OK, begin != nil, commit != nil, episode != nil, steps != nil else { throw error }
    guard sqlite3_exec(opened, "PRAGMA cache_size = -16384", nil, nil, nil) == SQLITE_OK else { throw error }
  }

  deinit {
    for statement in [begin, commit, episode, steps] { sqlite3_finalize(statement) }
    sqlite3_close(connection)
  }

  func read(_ id: raw_text) throws -> PlainEpisode? {
    try run(begin)
    defer { sqlite3_reset(commit) }
    let result = try readRows(id)
    guard sqlite3_step(commit) == SQLITE_DONE else { throw error }
    return result
  }

  private func readRows(_ id: raw_text) throws -> PlainEpisode? {
    // The bytes of the id outlive the statement's use of them, so SQLite need not copy them.
    sqlite3_bind_text(episode, 1, id.bytes, id.count, nil)
    defer { sqlite3_reset(episode) }
    guard sqlite3_step(episode) == SQLITE_ROW else { return nil }
    var result = PlainEpisode(
      id: text(episode, 0), taskType: text(episode, 1), domain: text(episode, 2),
      session: optional(episode, 3, text), context: text(episode, 4), status: text(episode, 5),
      successRate: optional(episode, 6, sqlite3_column_double), createdAt: sqlite3_column_int64(episode, 7),
      completedAt: optional(episode, 8, sqlite3_column_int64), metadata: text(episode, 9),
      embeddingVersion: sqlite3_column_int64(episode, 10), steps: [])
    sqlite3_bind_text(steps, 1, id.bytes, id.count, nil)
    defer { sqlite3_reset(steps) }
    while sqlite3_step(steps) == SQLITE_ROW {
      result.steps.append(
        PlainEpisode.Step(
          id: text(steps, 0), number: sqlite3_column_int64(steps, 1), action: text(steps, 2),
          result: optional(steps, 3, text), tool: optional(steps, 4, text),
          duration: optional(steps, 5, sqlite3_column_int64),
          success: optional(steps, 6, sqlite3_column_int64).map { $0 != 0 },
          timestamp: sqlite3_column_int64(steps, 7)))
    }
    return result
  }

  private func run(_ statement: OpaquePointer?) throws {
    guard sqlite3_step(statement) == SQLITE_DONE else { throw error }
    sqlite3_reset(statement)
  }

  @inline(__always)
  private func text(_ statement: OpaquePointer?, _ column: Int32) -> String {
    let bytes = sqlite3_column_text(statement, column)
    let count = Int(sqlite3_column_bytes(statement, column))
    return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  }

  @inline(__always)
  private func optional<Value>(
    _ statement: OpaquePointer?, _ column: Int32, _ value: (OpaquePointer?, Int32) -> Value
  ) -> Value? {
    sqlite3_column_type(statement, column) == SQLITE_NULL ? nil : value(statement, column)
  }

  private var error: BenchError { BenchError("SQLite in C: \(String(cString: sqlite3_errmsg(connection)))") }
}
