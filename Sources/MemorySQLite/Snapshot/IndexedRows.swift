import EpisodicMemory
import GRDB
import SQLiteStorage

/// How the rows of a table that indexes are made from are read, one by one and in order.
struct IndexedRows: Sendable {
  /// One row, by its key.
  let one: String
  /// The rows behind a key, in order: key, limit.
  let following: String
  /// The keys of the rows of an episode, by the episode's row; `nil` for the episodes themselves.
  let ofEpisode: String?

  private init(_ select: String, key: String, ofEpisode: String?) {
    one = "\(select) WHERE \(key) = ?"
    following = "\(select) WHERE \(key) > ? ORDER BY \(key) LIMIT ?"
    self.ofEpisode = ofEpisode
  }

  static let episodes = IndexedRows(
    "SELECT e.seq, e.context, \(AttributeColumns.columns) FROM episodes e", key: "e.seq", ofEpisode: nil)

  // CROSS JOIN keeps the table whose rows are asked for the outer loop.
  static let steps = IndexedRows(
    "SELECT s.seq, e.seq, s.action, s.result, s.tool FROM steps s CROSS JOIN episodes e ON e.id = s.episode_id",
    key: "s.seq",
    ofEpisode: "SELECT s.seq FROM episodes e CROSS JOIN steps s ON s.episode_id = e.id WHERE e.seq = ?")

  static let vectors = IndexedRows(
    """
    SELECT m.seq, e.seq, m.model_name, m.dimensions, m.embedding, \(AttributeColumns.columns)
    FROM embeddings m CROSS JOIN episodes e ON e.id = m.episode_id
    """,
    key: "m.seq",
    ofEpisode: "SELECT m.seq FROM episodes e CROSS JOIN embeddings m ON m.episode_id = e.id WHERE e.seq = ?")

  /// Calls `body` at each row that is selected and there, once and in order, until it returns false.
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
