import EpisodicMemory
import GRDB
import SQLiteStorage

/// Maps `AuditRecord` to a row of `audit`.
enum AuditRow {
  private static let columns = "number, at, actor, verb, domain, counts, subjects, previous, digest"
  static let last = "SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1"
  /// Arguments: number, limit.
  static let page = "SELECT \(columns) FROM audit WHERE number > ? ORDER BY number LIMIT ?"
  /// Arguments: number, digest of the domain, limit.
  static let pageOfDomain =
    "SELECT \(columns) FROM audit WHERE number > ? AND domain = ? ORDER BY number LIMIT ?"
  static let all = "SELECT \(columns) FROM audit ORDER BY number"

  /// The number and the digest that the next record follows.
  static func last(_ db: Database) throws -> (number: Int64, digest: [UInt8]) {
    var rows = try RawStatement(last, db)
    guard try rows.step() else { return (0, AuditRecord.origin) }
    return (rows.integer(0), Array(rows.bytes(1)))
  }

  static func insert(_ record: AuditRecord, _ db: Database) throws {
    var row = try RawStatement("INSERT INTO audit (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", db)
    try row.bind(record.number)
    try row.bind(record.at.milliseconds)
    try row.bind(record.actor)
    try row.bind(record.verb)
    if let domain = record.domainBytes {
      try domain.withUnsafeBytes { try row.bind($0) }
    } else {
      try row.bindNull()
    }
    try row.bind(record.countsText)
    for bytes in [record.subjectBytes, record.previousBytes, record.digestBytes] {
      try bytes.withUnsafeBytes { try row.bind($0) }
    }
    try row.execute()
  }

  static func page(after number: Int64, _ scope: Query.Scope, limit: Int, _ db: Database) throws -> [AuditRecord] {
    var rows: RawStatement
    if let domain = scope.onlyDomain {
      rows = try RawStatement(pageOfDomain, db)
      try rows.bind(number)
      try ErasureDigests(db).bytes("domain", domain).withUnsafeBytes { try rows.bind($0) }
    } else {
      rows = try RawStatement(page, db)
      try rows.bind(number)
    }
    try rows.bind(Int64(limit))
    var records: [AuditRecord] = []
    while try rows.step() { records.append(record(rows)) }
    return records
  }

  /// Calls `body` with each record.
  static func forEach(_ db: Database, _ body: (AuditRecord) throws -> Void) throws {
    var rows = try RawStatement(all, db)
    while try rows.step() { try body(record(rows)) }
  }

  private static func record(_ row: borrowing RawStatement) -> AuditRecord {
    AuditRecord(
      number: row.integer(0), at: Timestamp(milliseconds: row.integer(1)), actor: row.text(2), verb: row.text(3),
      domain: row.isNull(4) ? nil : Array(row.bytes(4)), counts: row.text(5), subjects: Array(row.bytes(6)),
      previous: Array(row.bytes(7)), digest: Array(row.bytes(8)))
  }
}
