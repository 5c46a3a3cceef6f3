import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage
import Vectors
import StoreRows

/// Reports rows that the schema accepts but the engine would not have written. No verb fails on them: their values are
/// approximated, or recall does not find them.
enum RowCheck {
  /// Problems named in the result; the rest are counted.
  private static let maximumNamed = 5

  static func run(_ db: Database) throws -> MemoryCheck {
    var named: [String] = []
    var count = 0
    for table in tables {
      try table.forEachProblem(db) { problem in
        count += 1
        if named.count < maximumNamed { named.append(problem) }
      }
    }
    guard count > 0 else { return MemoryCheck("rows of other programs", .passed) }
    let rest = count > maximumNamed ? "; and \(count - maximumNamed) more" : ""
    return MemoryCheck(
      "rows of other programs",
      .failed(
        named.joined(separator: "; ") + rest + ": correct them; until then the engine shows approximations")
    )
  }

  fileprivate struct Table: Sendable {
    let name: String
    /// What a message calls a row; its id follows.
    let title: String
    /// The columns after the first, which is the id.
    let columns: [(name: String, kind: Kind)]

    enum Kind: Sendable {
      /// Compared by bytes, in NFC.
      case name
      case text, object, time, status
      /// JSON whose hash is in the next column.
      case hashed
      case hash
    }

    func forEachProblem(_ db: Database, _ report: (String) -> Void) throws {
      let list = columns.map(\.name).joined(separator: ", ")
      var rows = try RawStatement("SELECT id, \(list) FROM \(self.name) WHERE sealed IS NULL ORDER BY seq", db)
      while try rows.step() {
        func problem(_ fault: String) -> String { "\(title) \"\(String(storedName: rows.bytes(0)))\" \(fault)" }
        if !rows.bytes(0).isCanonicalName { report(problem("has an id that is not UTF-8 in NFC")) }
        for (index, column) in columns.enumerated() {
          let place = Int32(index + 1)
          if rows.isNull(place) { continue }
          if let fault = column.kind.fault(of: rows, at: place) {
            report(problem("has a \(column.name) that \(fault)"))
          }
        }
      }
    }
  }

  fileprivate static let tables = [
    Table(
      name: "episodes", title: "episode",
      columns: [
        ("task_type", .name), ("domain", .name), ("session", .name), ("context", .text), ("status", .status),
        ("created_at", .time), ("completed_at", .time), ("metadata", .object),
      ]),
    Table(
      name: "steps", title: "step",
      columns: [("action", .text), ("result", .text), ("tool", .text), ("timestamp", .time)]),
    Table(
      name: "embeddings", title: "embedding",
      columns: [("model_name", .name), ("content", .text), ("created_at", .time)]),
    Table(
      name: "patterns", title: "pattern",
      columns: [
        ("domain", .name), ("pattern_type", .name), ("pattern_data", .hashed), ("data_hash", .hash),
        ("metadata", .object),
        ("last_used", .time), ("created_at", .time),
      ]),
  ]
}

extension RowCheck.Table.Kind {
  /// What is wrong with a value, worded to follow "that"; `nil` if nothing is.
  fileprivate func fault(of row: borrowing RawStatement, at column: Int32) -> String? {
    switch self {
    case .text: return row.bytes(column).textFault
    case .name: return row.bytes(column).isCanonicalName ? nil : "is not UTF-8 in NFC"
    case .status: return Episode.Status(rawValue: row.text(column)) == nil ? "is unknown: it is read as archived" : nil
    case .time:
      return Timestamp.accepted.contains(Timestamp(milliseconds: row.integer(column)))
        ? nil : "is outside the years 1 to 9999"
    case .hash: return nil
    case .hashed, .object:
      if let fault = row.bytes(column).textFault { return fault }
      let text = row.text(column)
      if text == "{}" { return nil }
      do throws(MemoryError) {
        let value = try JSON(text: text)
        if self == .object { return value.members == nil ? "is not an object" : nil }
        return value.canonicalHash == row.text(column + 1)
          ? nil : "does not match its hash: it was damaged, or written by hand; compare with a backup"
      } catch {
        return "the engine cannot hold (\(error.message))"
      }
    }
  }
}

/// Checks that the words of each pattern are those of its data.
enum PatternWordsCheck {
  static func run(_ db: Database) throws -> MemoryCheck {
    let wrong = try String.fetchOne(
      db,
      sql: """
        SELECT id FROM patterns p LEFT JOIN patterns_words w ON w.seq = p.seq WHERE w.words IS NOT \(words)
        UNION ALL SELECT 'row ' || seq FROM patterns_words WHERE seq NOT IN (SELECT seq FROM patterns) LIMIT 1
        """)
    guard let wrong else { return MemoryCheck("words of patterns", .passed) }
    return MemoryCheck("words of patterns", .failed("those of \"\(wrong)\" are not of its data; call rebuild()"))
  }

  /// Makes the table again; its full-text index must be rebuilt after it.
  static func rebuild(_ db: Database) throws {
    try db.execute(
      sql: "DELETE FROM patterns_words; INSERT INTO patterns_words (seq, words) SELECT seq, \(words) FROM patterns p")
  }

  /// The expression of the triggers.
  private static let words = """
    (SELECT group_concat(iif(typeof(key) = 'text', key || ' ', '')
                         || iif(type IN ('text', 'integer', 'real'), atom, ''), char(10))
     FROM json_tree(iif(json_valid(p.pattern_data), p.pattern_data, '[]')))
    """
}

/// Checks that every vector has its stated dimensions and finite components, not all 0.
enum VectorCheck {
  static func run(_ db: Database) throws -> MemoryCheck {
    var rows = try RawStatement(
      "SELECT id, embedding, dimensions FROM embeddings WHERE sealed IS NULL ORDER BY seq", db)
    while try rows.step() {
      do throws(VectorError) {
        _ = try Vector(littleEndianFloat32: rows.bytes(1).bytes, dimensions: Int(clamping: rows.integer(2)))
      } catch {
        return MemoryCheck(
          "vectors", .failed("embedding \"\(rows.text(0))\": \(error); no recall finds it: embed it again"))
      }
    }
    return MemoryCheck("vectors", .passed)
  }
}
