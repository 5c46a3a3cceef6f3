import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// A line of the log of what was carried to and from other systems.
  public struct Delivery: Hashable, Sendable, Codable {
    /// Later lines have greater numbers.
    public let number: Int64
    /// Which way it went.
    public let direction: Direction
    /// What was carried.
    public let kind: OutboxMessage.Kind
    /// How many of these.
    public let count: Int
    /// Whether they arrived.
    public let success: Bool
    /// Why they did not.
    public let error: String?
    private let durationMilliseconds: Int64?
    /// When the line was written.
    public let createdAt: Timestamp

    /// How long it took.
    public var duration: Duration? { durationMilliseconds.map { .milliseconds($0) } }

    init(_ row: Row) throws {
      number = try row.value(0)
      direction = try row.closed(1)
      kind = try row.name(2)
      count = try row.value(3)
      success = try row.value(4)
      error = try row.value(5)
      durationMilliseconds = try row.value(6)
      createdAt = try row.time(7)
    }

    enum CodingKeys: String, CodingKey {
      case number, direction, kind, count, success, error
      case durationMilliseconds = "duration_ms"
      case createdAt = "created_at"
    }

    /// Which way it went.
    public enum Direction: String, Hashable, Sendable, Codable, CaseIterable {
      /// What the application fetched.
      case download
      /// What the outbox delivered.
      case upload
    }
  }
}

/// A line that has been checked.
struct NewDelivery: Sendable {
  let direction: Ledger.Delivery.Direction
  let kind: String
  let count: Int
  let success: Bool
  var error: String?
  var milliseconds: Int64?
}

/// Rows of `deliveries`.
enum DeliveryRow {
  static func insert(_ new: NewDelivery, at now: Timestamp, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO deliveries (direction, kind, count, success, error, duration_ms, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      new.direction.rawValue, new.kind, new.count, new.success, new.error, new.milliseconds, now.milliseconds,
    ])
  }

  /// Parameters: since when; time and number of the last one of the page before; how many.
  static let page = """
    SELECT seq, direction, kind, count, success, error, duration_ms, created_at FROM deliveries
    WHERE created_at >= ?1 AND (created_at, seq) < (?2, ?3) ORDER BY created_at DESC, seq DESC LIMIT ?4
    """
}
