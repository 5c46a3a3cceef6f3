import EpisodicMemory
import GRDB
import SQLiteStorage

/// Holds a full-text index against the table that it is made from.
///
/// Both say what the words of a row are, and only the index can be made again. So a row that the index lacks, or has too
/// much, is the index's fault; where both have a row and differ about its words, one of them was damaged and nobody can tell
/// which: then the index is evidence, and must not be made again from a text that may be the damaged one.
struct TextIndexComparison: Sendable {
  let name: String
  let index: String
  let table: String
  let columns: [String]
  /// What a row is called in a message, as SQL.
  private let title: String

  static let all = [
    TextIndexComparison(
      name: "full text of episodes", index: "episodes_text", table: "episodes", columns: ["context"],
      title: "'the context of episode \"' || id || '\"'"),
    TextIndexComparison(
      name: "full text of steps", index: "steps_text", table: "steps", columns: ["action", "result", "tool"],
      title: "'step ' || step_number || ' of episode \"' || episode_id || '\"'"),
  ]

  /// FTS5's own comparison, which also looks at the structure of the index.
  func agrees(_ db: Database) throws -> Bool {
    do {
      try db.execute(sql: "INSERT INTO \(index) (\(index), rank) VALUES ('integrity-check', 1)")
      return true
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
      return false
    }
  }

  /// Compares word by word.
  ///
  /// Cost: reads the table and the index once, and keeps 32 bytes a row.
  ///
  /// - Parameter isRefuted: Whether FTS5 says that they disagree; then something is wrong even if no word is.
  func compare(_ db: Database, _ tokenizers: TokenizerPool, isRefuted: Bool) throws -> Check.Outcome {
    guard var indexed = try indexedWords(db) else {
      return .failed("the index cannot be read; run rebuild")
    }
    let tokenizer = try tokenizers.take(db)
    defer { tokenizers.putBack(tokenizer) }
    var differing: [Int64] = []
    var hasMissing = false
    var rows = try RawStatement(
      """
      SELECT t.seq, d.id IS NOT NULL, \(columns.map { "t." + $0 }.joined(separator: ", "))
      FROM \(table) t LEFT JOIN \(index)_docsize d ON d.id = t.seq ORDER BY t.seq
      """, db)
    while try rows.step() {
      var words = WordSum()
      for column in columns.indices {
        try tokenizer.cut(rows.bytes(Int32(column + 2))) { word, place in
          words.add(word, column: column, place: Int64(place))
        }
      }
      let row = rows.integer(0)
      let wordsOfIndex = indexed.removeValue(forKey: row) ?? WordSum()
      if rows.integer(1) == 0 {
        hasMissing = true
      } else if words != wordsOfIndex {
        differing.append(row)
      }
    }
    if !differing.isEmpty { return .damaged(try describe(differing, db)) }
    if !hasMissing, indexed.isEmpty, !isRefuted { return .passed }
    let reason = hasMissing ? "rows are missing in the index" : "the index is not what the table says"
    return .failed("\(reason); run rebuild")
  }

  /// By row; `nil` where the index cannot be read.
  private func indexedWords(_ db: Database) throws -> [Int64: WordSum]? {
    let vocabulary = "temp.\(index)_words"
    do {
      try db.execute(
        sql: "CREATE VIRTUAL TABLE IF NOT EXISTS \(vocabulary) USING fts5vocab('main', '\(index)', 'instance')")
      var sums: [Int64: WordSum] = [:]
      var rows = try RawStatement("SELECT doc, term, col, \"offset\" FROM \(vocabulary)", db)
      while try rows.step() {
        guard let column = columns.firstIndex(of: rows.text(2)) else { return nil }
        sums[rows.integer(0), default: WordSum()].add(rows.bytes(1), column: column, place: rows.integer(3))
      }
      return sums
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
      return nil
    }
  }

  private func describe(_ rows: [Int64], _ db: Database) throws -> String {
    let named = try rows.prefix(3).map { row in
      try String.fetchOne(db, sql: "SELECT \(title) FROM \(table) WHERE seq = ?", arguments: [row]) ?? "row \(row)"
    }
    let list = named.joined(separator: ", ") + (rows.count > 3 ? " and \(rows.count - 3) more" : "")
    return """
      \(list): the text and its index disagree, and one of them is damaged; compare with a backup and restore it, or \
      rebuild --accept-texts if the texts are right
      """
  }
}

/// A sum over the words of a row and their places, in whatever order they come.
private struct WordSum: Equatable {
  private var sum: UInt64 = 0

  mutating func add(_ word: UnsafeRawBufferPointer, column: Int, place: Int64) {
    var hash = 0xCBF2_9CE4_8422_2325 ^ UInt64(bitPattern: place) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(column) << 56
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    // The last bytes must reach the high bits, too (SplitMix64).
    hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
    sum &+= hash ^ hash >> 31
  }
}
