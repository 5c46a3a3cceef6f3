import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// How often errors of a type happened: events of the level error or critical, or with a type of error.
  public struct ErrorRate: Hashable, Sendable, Codable {
    /// `nil`: those without a type.
    public let errorType: String?
    /// How many.
    public let count: Int
    /// Of them all in the window, 0...1.
    public let share: Double
    /// In the mean of the window.
    public let perHour: Double
    /// When the last one happened.
    public let lastAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case errorType = "error_type"
      case count, share
      case perHour = "per_hour"
      case lastAt = "last_at"
    }
  }

  /// How often errors happened to a person.
  public struct PersonErrors: Hashable, Sendable, Codable {
    /// To whom.
    public let person: Person.ID
    /// The person's handle.
    public let handle: String
    /// How many.
    public let count: Int
    /// In the mean of the window.
    public let perHour: Double
    /// When the last one happened.
    public let lastAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case person = "person_id"
      case handle, count
      case perHour = "per_hour"
      case lastAt = "last_at"
    }
  }
}

/// Reports about errors.
enum ErrorReportQuery {
  /// As the index says it.
  private static let isError = "(level >= 3 OR error_type IS NOT NULL)"

  /// Parameters: the window's beginning and end.
  static let byType = """
    SELECT error_type, count(*), max(created_at) FROM events
    WHERE \(isError) AND created_at > ?1 AND created_at <= ?2
    GROUP BY error_type ORDER BY count(*) DESC, error_type
    """
  /// Parameters: the window's beginning and end, how many.
  static let byPerson = """
    SELECT person_id, handle, number, last FROM (
        SELECT person_id, count(*) AS number, max(created_at) AS last FROM events
        WHERE \(isError) AND created_at > ?1 AND created_at <= ?2 AND +person_id IS NOT NULL
        GROUP BY person_id
    ) CROSS JOIN people ON people.id = person_id ORDER BY number DESC, handle LIMIT ?3
    """

  static func rates(_ window: ReportWindow, _ db: Database) throws -> [Ledger.ErrorRate] {
    let rows = try Row.fetchAll(db.cachedStatement(sql: byType), arguments: window.arguments).map { row in
      (type: try row.value(0) as String?, count: try row.value(1) as Int, last: try row.time(2))
    }
    let all = rows.reduce(0) { $0 + $1.count }
    return rows.map { row in
      Ledger.ErrorRate(
        errorType: row.type, count: row.count, share: Double(row.count) / Double(all),
        perHour: Double(row.count) / window.hours, lastAt: row.last)
    }
  }

  static func ofPeople(_ window: ReportWindow, limit: Int, _ db: Database) throws -> [Ledger.PersonErrors] {
    try Row.fetchAll(db.cachedStatement(sql: byPerson), arguments: window.arguments + [limit]).map { row in
      let count: Int = try row.value(2)
      return Ledger.PersonErrors(
        person: try row.id(0), handle: try row.text(1), count: count, perHour: Double(count) / window.hours,
        lastAt: try row.time(3))
    }
  }
}
