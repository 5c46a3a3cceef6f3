import EpisodicMemory
import GRDB

/// A row of `patterns`, between `Pattern` and its columns.
enum PatternRow {
  /// In the order in which `decode` reads them.
  static let columns = """
    p.id, p.pattern_type, p.pattern_data, p.data_hash, p.success_rate, p.usage_count, p.last_used, p.created_at, p.metadata
    """

  static func decode(_ row: Row) throws -> Pattern {
    let lastUsed: Int64? = row[6]
    return Pattern(
      id: Pattern.ID(rawValue: row[0]), type: PatternType(row[1]), data: try JSON(text: row[2]), dataHash: row[3],
      successRate: row[4], usageCount: row[5], lastUsed: lastUsed.map(Timestamp.init(milliseconds:)),
      createdAt: Timestamp(milliseconds: row[7]), metadata: try JSON(text: row[8]))
  }

  static func fetch(_ db: Database, id: Pattern.ID) throws -> Pattern? {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM patterns p WHERE p.id = ?")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map(decode)
  }

  static func fetch(_ db: Database, type: PatternType, hash: String) throws -> Pattern? {
    let statement = try db.cachedStatement(
      sql: "SELECT \(columns) FROM patterns p WHERE p.pattern_type = ? AND p.data_hash = ?")
    return try Row.fetchOne(statement, arguments: [type.rawValue, hash]).map(decode)
  }
}
