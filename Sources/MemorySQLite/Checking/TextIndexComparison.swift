import EpisodicMemory
import GRDB
import SQLiteStorage

/// Compares a full-text index with the table it is derived from.
///
/// A row that only one of them has is a fault of the index, which can be rebuilt. If both have a row and its words differ,
/// one was damaged, and it is unknown which: the index is then evidence and must not be rebuilt from a text that may be the
/// damaged one.
struct TextIndexComparison: Sendable {
  let name: String
  let index: String
  let table: String
  let columns: [String]
  /// A SQL expression for what a message calls a row.
  private let title: String
  /// Whether the table is itself made from another, so that neither is evidence of what was written.
  var isDerived = false

  /// That of the full-text tables in migration 003, with its arguments.
  static let tokenizer = ["porter", "unicode61", "remove_diacritics", "2"]

  static let all = [
    TextIndexComparison(
      name: "full text of episodes", index: "episodes_text", table: "episodes",
      columns: ["context", "added", "labels"],
      title: "'the context of episode \"' || id || '\"'"),
    TextIndexComparison(
      name: "full text of steps", index: "steps_text", table: "steps", columns: ["action", "result", "tool", "added"],
      title: "'step ' || step_number || ' of episode \"' || episode_id || '\"'"),
    TextIndexComparison(
      name: "full text of patterns", index: "patterns_text", table: "patterns_words", columns: ["words"],
      title: "'the words of pattern ' || seq", isDerived: true),
  ]

  /// FTS5's own comparison, which also checks the structure of the index.
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
  /// Cost: reads the table and the index once; 32 bytes of memory per row.
  ///
  /// - Parameter isRefuted: Whether FTS5 found a difference; then the check fails even if all words agree.
  func compare(_ db: Database, _ tokenizers: TokenizerPool, isRefuted: Bool) throws -> MemoryCheck.Outcome {
    guard var indexed = try indexedWords(db) else {
      return .failed("the index cannot be read; call rebuild()")
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
    if !differing.isEmpty {
      guard isDerived else { return .damaged(try describe(differing, db)) }
      return .failed("the index differs from the table; call rebuild()")
    }
    if !hasMissing, indexed.isEmpty, !isRefuted { return .passed }
    let reason = hasMissing ? "rows are missing in the index" : "the index differs from the table"
    return .failed("\(reason); call rebuild()")
  }

  /// By row; `nil` if the index cannot be read.
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
      call rebuild(acceptingTexts: true) if the texts are right
      """
  }
}

/// A hash of the words of a row with their positions, independent of order.
private struct WordSum: Equatable {
  private var sum: UInt64 = 0

  mutating func add(_ word: UnsafeRawBufferPointer, column: Int, place: Int64) {
    var hash = 0xCBF2_9CE4_8422_2325 ^ UInt64(bitPattern: place) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(column) << 56
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    // The finaliser of SplitMix64 carries the last bytes into the high bits.
    hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
    sum &+= hash ^ hash >> 31
  }
}
