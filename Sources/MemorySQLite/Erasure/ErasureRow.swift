import ByteCoding
import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage
import StoreRows

/// The tables `erasures` and `erased`: receipts and their digests.
enum ErasureRow {
  private static let columns = "seq, id, selection, counts, erased_at, cleaned_at, backups"

  /// - Parameter isCleaned: Whether nothing is left of it in the file.
  static func insert(
    _ receipt: ErasureReceipt, _ traces: [Erasure.Trace], isCleaned: Bool, _ db: Database
  ) throws {
    try db.execute(
      sql: "INSERT INTO erasures (id, selection, counts, erased_at, cleaned_at, backups) VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [
        receipt.id.rawValue, try text(receipt.selection), try text(receipt.counts), receipt.erasedAt.milliseconds,
        isCleaned ? receipt.erasedAt.milliseconds : nil, try text(receipt.backups),
      ])
    let erasure = db.lastInsertedRowID
    var statement = try RawStatement("INSERT INTO erased (digest, kind, erasure) VALUES (?, ?, ?)", db)
    for trace in Set(traces) {
      guard let digest = [UInt8](hexadecimal: trace.digest.rawValue) else { continue }
      try digest.withUnsafeBytes { try statement.bind($0) }
      try trace.subject.rawValue.withContiguousUTF8 { try statement.bind(text: $0) }
      try statement.bind(erasure)
      try statement.execute()
    }
  }

  /// In the order of the commits.
  static func all(unfinished: Bool, _ db: Database) throws -> [ErasureReceipt] {
    let condition = unfinished ? "WHERE cleaned_at IS NULL" : ""
    return try Row.fetchAll(db, sql: "SELECT \(columns) FROM erasures \(condition) ORDER BY seq").map { try decode($0) }
  }

  private static func fetch(_ id: ErasureReceipt.ID, _ db: Database) throws -> (
    receipt: ErasureReceipt, traces: [Erasure.Trace]
  )? {
    let row = try Row.fetchOne(db, sql: "SELECT \(columns) FROM erasures WHERE id = ?", arguments: [id.rawValue])
    guard let row else { return nil }
    var traces: [Erasure.Trace] = []
    var digests = try RawStatement("SELECT kind, digest FROM erased WHERE erasure = ?", db)
    try digests.bind(try row.value(0) as Int64)
    while try digests.step() {
      guard let subject = Erasure.Subject(rawValue: digests.text(0)) else { continue }
      traces.append(Erasure.Trace(subject, Erasure.Digest(rawValue: digests.bytes(1).hexadecimal)))
    }
    return (try decode(row), traces)
  }

  /// Which of the receipts it is, from 1 on in the order of the commits.
  static func place(of id: ErasureReceipt.ID, _ db: Database) throws -> Int? {
    try Int.fetchOne(
      db, sql: "SELECT count(*) FROM erasures WHERE seq <= (SELECT seq FROM erasures WHERE id = ?)",
      arguments: [id.rawValue])
  }

  /// All with their digests, in the order of the commits; none before migration 011.
  static func stored(_ db: Database) throws -> [StoredReceipt] {
    guard try db.tableExists("erasures") else { return [] }
    return try all(unfinished: false, db).compactMap { receipt in try stored(receipt.id, db) }
  }

  /// With its digests; `nil` if there is none.
  static func stored(_ id: ErasureReceipt.ID, _ db: Database) throws -> StoredReceipt? {
    guard let found = try fetch(id, db) else { return nil }
    let lineage = try StoreLineage(db)
    return StoredReceipt(
      receipt: found.receipt, store: StoreIdentity(rawValue: lineage.uuid), ancestors: lineage.ancestors,
      key: try ErasureDigests(db).key, traces: found.traces, place: try place(of: id, db))
  }

  private static func decode(_ row: Row) throws -> ErasureReceipt {
    let id = ErasureReceipt.ID(composed: try row.value(1))
    let cleanedAt: Int64? = try row.value(5)
    do {
      return ErasureReceipt(
        id: id, selection: try value(row.value(2)), counts: try value(row.value(3)),
        erasedAt: Timestamp(milliseconds: try row.value(4)),
        cleanedAt: cleanedAt.map(Timestamp.init(milliseconds:)), backups: try value(row.value(6)))
    } catch let error as DecodingError {
      throw MemoryError(.corrupted, "the receipt \(id) is damaged: another program changed it", cause: error)
    }
  }

  private static func value<Value: Decodable>(_ text: String) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(text.utf8))
  }

  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
