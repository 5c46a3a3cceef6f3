import CRawSQLite
import GRDB
import GRDBSQLite

/// SQLite's C interface from Swift: prepared statements, one read transaction, every column converted to a Swift value.
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

/// The code of an application with GRDB: `pool.read`, two cached statements, columns by index.
final class PlainGRDB {
  private let pool: DatabasePool

  init(path: String) throws {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.persistentReadOnlyConnections = true
    configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA cache_size = -16384") }
    pool = try DatabasePool(path: path, configuration: configuration)
  }

  func close() throws { try pool.close() }

  func read(_ id: String) throws -> PlainEpisode? {
    try pool.read { db in
      let rows = try GRDB.Row.fetchCursor(db.cachedStatement(sql: PlainSQL.episode), arguments: [id])
      guard let row = try rows.next() else { return nil }
      var episode = PlainEpisode(
        id: row[0], taskType: row[1], domain: row[2], session: row[3], context: row[4], status: row[5],
        successRate: row[6], createdAt: row[7], completedAt: row[8], metadata: row[9], embeddingVersion: row[10],
        steps: [])
      let steps = try GRDB.Row.fetchCursor(db.cachedStatement(sql: PlainSQL.steps), arguments: [id])
      while let row = try steps.next() {
        episode.steps.append(
          PlainEpisode.Step(
            id: row[0], number: row[1], action: row[2], result: row[3], tool: row[4], duration: row[5],
            success: row[6], timestamp: row[7]))
      }
      return episode
    }
  }
}

/// The two queries of an episode, in the order of the fields of `PlainEpisode`.
enum PlainSQL {
  static let episode = """
    SELECT id, task_type, domain, session, context, status, success_rate, created_at, completed_at, metadata, \
    embedding_version FROM episodes WHERE id = ?
    """
  static let steps = """
    SELECT id, step_number, action, result, tool, duration_ms, success, timestamp FROM steps WHERE episode_id = ? \
    ORDER BY step_number
    """
}
