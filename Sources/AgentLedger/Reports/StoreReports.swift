import GRDB
import StoreRows
import StoreValues

extension Ledger {
  /// The use of the cached pages.
  public struct PageUse: Hashable, Sendable, Codable {
    /// Questions whose page was there and fresh, in the hours of the window.
    public let hits: Int
    /// Questions whose page was not.
    public let misses: Int
    /// Pages that are kept now.
    public let pages: Int
    /// Their bytes together.
    public let bytes: Int64

    /// The share of the hits; `nil` if no page was asked for.
    public var hitRate: Double? {
      let sum = Double(hits) + Double(misses)
      return sum > 0 ? Double(hits) / sum : nil
    }
  }

  /// How much a table holds.
  public struct TableSize: Hashable, Sendable, Codable {
    /// The name of the table.
    public let name: String
    /// Its rows.
    public let rows: Int
  }
}

/// Reports about what the file holds.
enum StoreReportQuery {
  static let hour: Int64 = 3_600_000

  /// Parameters: the hours of the window's beginning and end, since 1970.
  static let pageHours = "SELECT sum(hits), sum(misses) FROM page_hours WHERE hour >= ?1 AND hour <= ?2"
  static let pageBytes = "SELECT bytes FROM page_bytes WHERE only = 1"

  static func pageUse(_ window: ReportWindow, _ db: Database) throws -> Ledger.PageUse {
    let hours = [window.start, window.end].map { $0.milliseconds.flooredDivision(by: hour).quotient }
    let row = try Row.fetchOne(db.cachedStatement(sql: pageHours), arguments: StatementArguments(hours))
    return Ledger.PageUse(
      hits: try row?.value(0) ?? 0, misses: try row?.value(1) ?? 0,
      pages: try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM pages")) ?? 0,
      bytes: try Int64.fetchOne(db.cachedStatement(sql: pageBytes)) ?? 0)
  }

  static let tables = """
    SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name
    """

  /// Counts along the smallest index of each table.
  static func sizes(_ db: Database) throws -> [Ledger.TableSize] {
    try String.fetchAll(db, sql: tables).map { name in
      let quoted = name.replacing("\"", with: "\"\"")
      return Ledger.TableSize(
        name: name, rows: try Int.fetchOne(db, sql: "SELECT count(*) FROM \"\(quoted)\"") ?? 0)
    }
  }
}
