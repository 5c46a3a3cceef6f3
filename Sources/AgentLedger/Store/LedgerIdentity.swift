import Foundation
import GRDB
import StoreRows
import StoreValues

/// What tells one ledger from another, and the key of its digests: receipts and login tokens are kept as these only.
struct LedgerIdentity: Sendable {
  let uuid: String
  /// 32 random bytes.
  let digestKey: [UInt8]

  /// Reads it; the first opening makes it.
  static func of(_ database: LedgerDatabase) async throws(MemoryError) -> LedgerIdentity {
    if let identity = try await database.read({ db in try stored(db) }) { return identity }
    return try await database.write { db, now in
      if let identity = try stored(db) { return identity }
      var generator = SystemRandomNumberGenerator()
      let made = LedgerIdentity(
        uuid: Identifier<Ledger>.generate(at: now).rawValue,
        digestKey: (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
      try db.execute(
        sql: "INSERT INTO ledger (only, uuid, digest_key, created_at) VALUES (1, ?, ?, ?)",
        arguments: [made.uuid, Data(made.digestKey), now.milliseconds])
      return made
    }
  }

  private static func stored(_ db: Database) throws -> LedgerIdentity? {
    guard let row = try Row.fetchOne(db, sql: "SELECT uuid, digest_key FROM ledger") else { return nil }
    let key: Data = try row.value(1)
    return LedgerIdentity(uuid: try row.value(0), digestKey: Array(key))
  }
}
