import EpisodicMemory
import Foundation
import GRDB
import StoreRows

/// The table `domain_keys`.
struct DomainKeyRow {
  let number: Int64
  let key: DomainKey
  let wrapped: [UInt8]?

  private static let columns = "number, domain, version, state, admits, created_at, ended_at, wrapped"

  private init(_ row: Row) throws {
    let state: String = try row.value(3)
    let ended: Int64? = try row.value(6)
    number = try row.value(0)
    key = DomainKey(
      domain: try row.value(1), version: try row.value(2), state: DomainKey.State(rawValue: state) ?? .destroyed,
      isConverting: try row.value(4), createdAt: Timestamp(milliseconds: try row.value(5)),
      endedAt: ended.map(Timestamp.init(milliseconds:)))
    wrapped = try row.bytes(7)
  }

  static func all(_ db: Database) throws -> [DomainKeyRow] {
    try Row.fetchAll(db, sql: "SELECT \(columns) FROM domain_keys ORDER BY domain, version DESC").map(DomainKeyRow.init)
  }

  /// The newest version first.
  static func all(of domain: String, _ db: Database) throws -> [DomainKeyRow] {
    try Row.fetchAll(
      db, sql: "SELECT \(columns) FROM domain_keys WHERE domain = ? ORDER BY version DESC", arguments: [domain]
    ).map(DomainKeyRow.init)
  }

  // MARK: In copies of the store

  /// Versions that were destroyed, and those before them; none before migration 016.
  static func destroyed(_ db: Database) throws -> [DomainKey] {
    guard try db.tableExists("domain_keys") else { return [] }
    let keys = try all(db).map(\.key)
    return keys.filter { key in
      keys.contains { $0.state == .destroyed && $0.domain == key.domain && $0.version >= key.version }
    }
  }

  /// Destroys keys in an older copy of the store in which they were destroyed.
  ///
  /// - Returns: How many the copy had.
  static func destroy(_ keys: [DomainKey], at now: Timestamp, _ db: Database) throws -> Int {
    var count = 0
    for key in keys {
      // The time tells it from a key of the same version in another store.
      try db.execute(
        sql: """
          UPDATE domain_keys SET state = 'destroyed', wrapped = NULL, admits = 0, ended_at = coalesce(ended_at, ?)
          WHERE domain = ? AND version = ? AND created_at = ? AND wrapped IS NOT NULL
          """, arguments: [now.milliseconds, key.domain, key.version, key.createdAt.milliseconds])
      count += db.changesCount
    }
    return count
  }

  // MARK: Changes

  /// What a record of the audit is of.
  typealias Note = (verb: String, domain: String?, counts: [String: Int])

  /// - Parameter note: Called if something was changed.
  /// - Returns: The last key of the domain afterwards; `nil` if there is none.
  static func perform(
    _ change: KeyChange, _ keyring: StoreKeyring, at now: Timestamp, _ db: Database, note: (Note) -> Void
  ) throws -> DomainKey? {
    defer { KeySession.reset() }
    switch change {
    case .encrypt(let domain):
      let keys = try all(of: domain, db)
      if keys.first?.key.state != .current {
        try requireNoRows(of: keys, domain, db)
        try insert(domain, after: keys.first, search: nil, keyring, at: now, db)
        try forgetLearned(domain, db)
        note((AuditVerb.encrypt, domain, [:]))
      } else {
        // With another key nothing is to be begun.
        _ = try KeySession.cipher(for: domain, db)
      }
      return try all(of: domain, db).first?.key
    case .renew(let domain):
      let keys = try all(of: domain, db)
      guard let current = keys.first else { return nil }
      guard current.key.state == .current else { throw destroyed(domain) }
      let isUnfinished = current.key.isConverting || keys.contains { $0.key.state == .old }
      let key = try unwrapped(current, keyring, db)
      if isUnfinished { return current.key }
      try db.execute(
        sql: "UPDATE domain_keys SET state = 'old', ended_at = ? WHERE number = ?",
        arguments: [now.milliseconds, current.number])
      try insert(domain, after: current, search: Array(key.dropFirst(32)), keyring, at: now, db)
      note((AuditVerb.rotateKey, domain, [:]))
      return try all(of: domain, db).first?.key
    case .finish(let domain):
      try db.execute(
        sql: "UPDATE domain_keys SET state = 'replaced', wrapped = NULL WHERE domain = ? AND state = 'old'",
        arguments: [domain])
      try db.execute(
        sql: "UPDATE domain_keys SET admits = 0 WHERE domain = ? AND admits <> 0", arguments: [domain])
      return try all(of: domain, db).first { $0.key.state == .current }?.key
    case .destroy(let domain):
      try db.execute(
        sql: """
          UPDATE domain_keys SET state = 'destroyed', wrapped = NULL, admits = 0, ended_at = coalesce(ended_at, ?)
          WHERE domain = ? AND wrapped IS NOT NULL
          """, arguments: [now.milliseconds, domain])
      if db.changesCount > 0 { note((AuditVerb.destroyKey, domain, [:])) }
      return try all(of: domain, db).first?.key
    case .rewrap(let key): return try rewrap(with: key, keyring, db, note)
    }
  }

  private static func insert(
    _ domain: String, after last: DomainKeyRow?, search: [UInt8]?, _ keyring: StoreKeyring, at now: Timestamp,
    _ db: Database
  ) throws {
    // All keys of a store are wrapped with one: who has another is told before anything is written with it.
    let others = try Row.fetchAll(
      db, sql: "SELECT \(columns) FROM domain_keys WHERE wrapped IS NOT NULL LIMIT 1"
    ).map(DomainKeyRow.init)
    for other in others { _ = try unwrapped(other, keyring, db) }
    let version = Int64(last?.key.version ?? 0) + 1
    let key = AuthenticatedEncryption.random(32) + (search ?? AuthenticatedEncryption.random(32))
    let wrapped = try StoreKeyring.wrap(
      key, of: domain, version: version, with: keyring.key(of: domain), salt: StoreKeyring.salt(db))
    let hasRows = try Bool.fetchOne(
      db,
      sql:
        "SELECT EXISTS (SELECT 1 FROM episodes WHERE domain = ?1) OR EXISTS (SELECT 1 FROM patterns WHERE domain = ?1)",
      arguments: [domain])
    try db.execute(
      sql: """
        INSERT INTO domain_keys (domain, version, state, wrapped, admits, created_at)
        VALUES (?, ?, 'current', ?, ?, ?)
        """, arguments: [domain, version, Data(wrapped), last == nil && hasRows == true, now.milliseconds])
  }

  private static func unwrapped(_ row: DomainKeyRow, _ keyring: StoreKeyring, _ db: Database) throws -> [UInt8] {
    guard let wrapped = row.wrapped else { throw destroyed(row.key.domain) }
    return try keyring.unwrap(
      wrapped, of: row.key.domain, version: Int64(row.key.version), salt: StoreKeyring.salt(db))
  }

  private static func rewrap(
    with key: StoreKey, _ keyring: StoreKeyring, _ db: Database, _ note: (Note) -> Void
  ) throws -> DomainKey? {
    let rows = try all(db).filter { $0.wrapped != nil }
    let salt = AuthenticatedEncryption.random(32)
    for row in rows {
      let plain = try unwrapped(row, keyring, db)
      let wrapped = try StoreKeyring.wrap(
        plain, of: row.key.domain, version: Int64(row.key.version), with: key, salt: salt)
      try db.execute(
        sql: "UPDATE domain_keys SET wrapped = ? WHERE number = ?", arguments: [Data(wrapped), row.number])
    }
    guard let first = rows.first else { return nil }
    try db.execute(sql: "UPDATE store SET key_salt = ?", arguments: [Data(salt)])
    note((AuditVerb.rotateStoreKey, nil, ["keys": rows.count]))
    return first.key
  }

  private static func destroyed(_ domain: String) -> MemoryError {
    MemoryError(
      .keyDestroyed,
      "the key of the domain \"\(domain)\" was destroyed, so nobody can read it any more; forget the domain")
  }

  /// - Throws: `.keyDestroyed` if rows are left that nobody can read.
  private static func requireNoRows(of keys: [DomainKeyRow], _ domain: String, _ db: Database) throws {
    guard !keys.isEmpty else { return }
    let hasRows = try Bool.fetchOne(
      db,
      sql:
        "SELECT EXISTS (SELECT 1 FROM episodes WHERE domain = ?1) OR EXISTS (SELECT 1 FROM patterns WHERE domain = ?1)",
      arguments: [domain])
    if hasRows == true { throw destroyed(domain) }
  }

  /// Deletes what learning found in a domain and keeps of its runs: both tell what was done.
  private static func forgetLearned(_ domain: String, _ db: Database) throws {
    try db.execute(
      sql: "DELETE FROM patterns WHERE id IN (SELECT pattern_id FROM learned_patterns WHERE domain = ?)",
      arguments: [domain])
    try db.execute(
      sql: "DELETE FROM run_traces WHERE episode_id IN (SELECT id FROM episodes WHERE domain = ?)", arguments: [domain])
  }
}
