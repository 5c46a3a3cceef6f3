import EpisodicMemory
import GRDB
import SQLiteStorage

/// Finds rows that the engine would not have written, though the schema lets them in: what other programs leave there is
/// shown as near as it can be, or not found by recall, and stops no verb. Here it is named.
enum RowCheck {
  /// Findings that are told; the others are counted.
  private static let told = 5

  static func run(_ db: Database) throws -> Check {
    var findings: [String] = []
    var count = 0
    for table in tables {
      try table.visit(db) { finding in
        count += 1
        if findings.count < told { findings.append(finding) }
      }
    }
    guard count > 0 else { return Check("rows of other programs", .passed) }
    let rest = count > told ? "; and \(count - told) more" : ""
    return Check(
      "rows of other programs",
      .failed(
        findings.joined(separator: "; ") + rest + ": correct them; until then they are shown as near as the engine can")
    )
  }

  fileprivate struct Table: Sendable {
    let name: String
    /// What a row is called, by the first column.
    let title: String
    /// The columns after the first, which is the id.
    let columns: [(name: String, kind: Kind)]

    enum Kind: Sendable {
      /// Compared by bytes, in NFC.
      case name
      case text, object, time, status
      /// JSON whose hash is in the column behind it.
      case hashed
      case hash
    }

    func visit(_ db: Database, _ tell: (String) -> Void) throws {
      let list = columns.map(\.name).joined(separator: ", ")
      var rows = try RawStatement("SELECT id, \(list) FROM \(self.name) ORDER BY seq", db)
      while try rows.step() {
        func named(_ fault: String) -> String { "\(title) \"\(String(storedName: rows.bytes(0)))\" \(fault)" }
        if !rows.bytes(0).isCanonicalName { tell(named("has an id that is not UTF-8 in form NFC")) }
        for (index, column) in columns.enumerated() {
          let place = Int32(index + 1)
          if rows.isNull(place) { continue }
          if let fault = column.kind.fault(of: rows, at: place) { tell(named("has a \(column.name) that \(fault)")) }
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
        ("pattern_type", .name), ("pattern_data", .hashed), ("data_hash", .hash), ("metadata", .object),
        ("last_used", .time), ("created_at", .time),
      ]),
  ]
}

extension RowCheck.Table.Kind {
  /// What is wrong with a value, to follow "that"; `nil` where nothing is.
  fileprivate func fault(of row: borrowing RawStatement, at column: Int32) -> String? {
    switch self {
    case .text: return row.bytes(column).textFault
    case .name: return row.bytes(column).isCanonicalName ? nil : "is not UTF-8 in form NFC"
    case .status: return Episode.Status(rawValue: row.text(column)) == nil ? "is none: it is read as archived" : nil
    case .time:
      return Timestamp.accepted.contains(Timestamp(milliseconds: row.integer(column)))
        ? nil : "is not of the years 1 to 9999"
    case .hash: return nil
    case .hashed, .object:
      if let fault = row.bytes(column).textFault { return fault }
      let text = row.text(column)
      if text == "{}" { return nil }
      do throws(MemoryError) {
        let value = try JSON(text: text)
        if self == .object { return value.members == nil ? "is no object" : nil }
        return value.canonicalHash == row.text(column + 1)
          ? nil : "is not that of its hash: it was damaged, or written by hand; compare with a backup"
      } catch {
        return "the engine cannot hold (\(error.message))"
      }
    }
  }
}
