import GRDBSQLite

/// A file with nothing but an FTS5 table of the same tokenizer.
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
