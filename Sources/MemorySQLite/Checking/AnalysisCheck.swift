import EpisodicMemory
import GRDB
import SQLiteStorage

/// Checks that the column `added` of each row has the words of its texts.
enum AnalysisCheck {
  static func run(_ db: Database) throws -> MemoryCheck {
    var counts: [String] = []
    for table in Analysis.Table.allCases {
      var wrong = 0
      var after: Int64? = 0
      while let row = after {
        after = nil
        try table.forEach(after: row, limit: Analysis.rowsAtOnce, db) { row, _, isRight in
          after = row
          if !isRight { wrong += 1 }
        }
      }
      if wrong > 0 { counts.append("\(wrong) \(table.rawValue)") }
    }
    guard !counts.isEmpty else { return MemoryCheck("words added to texts", .passed) }
    return MemoryCheck(
      "words added to texts",
      .failed(
        "another program wrote \(counts.joined(separator: " and ")), whose identifiers, labels and folded words are not found; call rebuild()"
      ))
  }
}
