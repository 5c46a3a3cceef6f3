import EpisodicMemory
import GRDB
import StoreRows

/// Maps `Pattern` to a row of `patterns`.
enum PatternRow {
  /// In the order in which `decode` reads them.
  static let columns = """
    p.id, p.pattern_type, p.pattern_data, p.data_hash, p.success_rate, p.usage_count, p.last_used, p.created_at, \
    p.metadata, p.domain, p.least_trust, p.sealed
    """

  /// A domain as the column has it: the empty text for none, as NULL is unequal to itself in a UNIQUE constraint.
  static func column(_ domain: String?) -> String { domain ?? "" }

  static func decode(_ row: Row, _ db: Database) throws -> Pattern {
    let id = Pattern.ID(composed: try row.value(0))
    let lastUsed: Int64? = try row.value(6)
    let domain: String = try row.value(9)
    var (data, hash, metadata): (String, String, String) = (try row.value(2), try row.value(3), try row.value(8))
    let place = PatternTexts.place(id.rawValue, try row.value(1))
    if let sealed = try row.bytes(11) {
      (data, hash, metadata) = try PatternTexts.open(sealed, at: place, in: domain, db)
    } else {
      try KeySession.requirePlain(place, in: domain, db)
    }
    return Pattern(
      id: id, domain: domain.isEmpty ? nil : domain, type: PatternType(try row.value(1)),
      data: JSON(stored: data), dataHash: hash,
      successRate: try row.value(4), usageCount: try row.value(5),
      lastUsed: lastUsed.map(Timestamp.init(milliseconds:)), createdAt: Timestamp(milliseconds: try row.value(7)),
      metadata: JSON(storedObject: metadata), trust: Trust(stored: try row.value(10)))
  }

  static func fetch(_ db: Database, id: Pattern.ID) throws -> Pattern? {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM patterns p WHERE p.id = ?")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map { try decode($0, db) }
  }

  static func fetch(_ db: Database, type: PatternType, hash: String, domain: String?) throws -> Pattern? {
    let statement = try db.cachedStatement(
      sql: "SELECT \(columns) FROM patterns p WHERE p.pattern_type = ? AND p.data_hash = ? AND p.domain = ?")
    func find(_ hash: String) throws -> Pattern? {
      try Row.fetchOne(statement, arguments: [type.rawValue, hash, column(domain)]).map { try decode($0, db) }
    }
    if let cipher = try KeySession.cipher(for: domain, db), let found = try find(cipher.column(ofHash: hash)) {
      return found
    }
    return try find(hash)
  }
}
