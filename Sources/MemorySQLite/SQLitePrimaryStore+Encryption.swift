package import EpisodicMemory
import Foundation
import GRDB
import StoreRows

extension SQLitePrimaryStore {
  package func domainKeys() async throws(MemoryError) -> [DomainKey] {
    try await readRows { db in try DomainKeyRow.all(db).map(\.key) }
  }

  package func change(_ keys: KeyChange, at now: Timestamp) async throws(MemoryError) -> DomainKey? {
    let keyring = keyring
    func perform() async throws(MemoryError) -> DomainKey? {
      try await writeAudited { db, log in
        try DomainKeyRow.perform(keys, keyring, at: now, db) { log?.note($0.verb, in: $0.domain, $0.counts) }
      }
    }
    guard case .rewrap(let new) = keys else { return try await perform() }
    // Readers of this process may see the commit before it is known here, and after an error it may have been made: both keys are
    // tried until then.
    keyring.expect(new)
    let key = try await perform()
    if key != nil { keyring.replace(by: new) }
    return key
  }

  package func sealRows(
    in domain: String, after position: SealingPosition
  ) async throws(MemoryError) -> SealingSlice {
    guard position.table < SealedRows.allCases.count else { return SealingSlice(rows: 0, next: nil) }
    let table = SealedRows.allCases[position.table]
    // Found without the lock of writers: a table without such rows is read to its end.
    let rows = try await readRows { db in try table.rows(in: domain, after: position.row, db) }
    guard let last = rows.last else {
      let next = position.table + 1
      return SealingSlice(rows: 0, next: next < SealedRows.allCases.count ? SealingPosition(table: next) : nil)
    }
    try await writeAudited { db, log in
      for row in rows { try table.seal(row, in: domain, log, db) }
    }
    return SealingSlice(rows: rows.count, next: SealingPosition(table: position.table, row: last))
  }
}

/// The tables whose rows are sealed, in the order in which that is done: an episode after its steps, so that a record of the audit
/// is of all of it.
enum SealedRows: CaseIterable {
  case steps, embeddings, patterns, episodes

  /// Rows of one transaction: some ten milliseconds.
  private static let rowsAtOnce = 64

  /// Rows of a domain that are not sealed with its current key, after a row.
  func rows(in domain: String, after row: Int64, _ db: Database) throws -> [Int64] {
    guard let cipher = try KeySession.cipher(for: domain, db) else { return [] }
    let header = Data((0..<4).map { UInt8(truncatingIfNeeded: cipher.number >> (8 * $0)) })
    let (tables, alias) =
      switch self {
      case .steps: ("steps s CROSS JOIN episodes e ON e.id = s.episode_id", "s")
      case .embeddings: ("embeddings m CROSS JOIN episodes e ON e.id = m.episode_id", "m")
      case .patterns: ("patterns e", "e")
      case .episodes: ("episodes e", "e")
      }
    return try Int64.fetchAll(
      db,
      sql: """
        SELECT \(alias).seq FROM \(tables)
        WHERE \(alias).seq > ? AND (\(alias).sealed IS NULL OR substr(\(alias).sealed, 2, 4) <> ?) AND e.domain = ?
        ORDER BY \(alias).seq LIMIT ?
        """, arguments: [row, header, domain, Self.rowsAtOnce])
  }

  /// Seals a row, unless it is gone or in another domain now.
  func seal(_ row: Int64, in domain: String, _ log: AuditLog?, _ db: Database) throws {
    guard let cipher = try KeySession.cipher(for: domain, db) else { return }
    switch self {
    case .steps:
      guard let (step, episode, wasSealed) = try StepRow.fetch(db, row: row) else { return }
      guard try EpisodeRow.cipher(of: Episode.ID(composed: episode), db)?.number == cipher.number else { return }
      try SealedUpdate.write(step, of: episode, row: row, wasSealed: wasSealed, cipher, db)
    case .embeddings:
      let statement = try db.cachedStatement(
        sql: "SELECT \(EmbeddingRow.columns) FROM embeddings m WHERE m.seq = ?")
      guard let found = try Row.fetchOne(statement, arguments: [row]) else { return }
      let embedding = try EmbeddingRow.decode(found, db)
      guard try EpisodeRow.cipher(of: embedding.episodeID, db)?.number == cipher.number else { return }
      try SealedUpdate.write(embedding, cipher, db)
    case .patterns:
      let statement = try db.cachedStatement(
        sql: "SELECT \(PatternRow.columns) FROM patterns p WHERE p.seq = ? AND p.domain = ?")
      guard let found = try Row.fetchOne(statement, arguments: [row, domain]) else { return }
      let pattern = try PatternRow.decode(found, db)
      try SealedUpdate.write(pattern, cipher, db)
      if try found.bytes(11) == nil { try log?.noteChanged(pattern.id, AuditVerb.encrypt, db) }
    case .episodes:
      let statement = try db.cachedStatement(
        sql: "SELECT \(EpisodeRow.columns) FROM episodes e WHERE e.seq = ? AND e.domain = ?")
      guard let found = try Row.fetchOne(statement, arguments: [row, domain]) else { return }
      let wasPlain = try found.bytes(18) == nil
      let episode = try EpisodeRow.decode(found, db, steps: wasPlain && log != nil ? .all : .none)
      try SealedUpdate.write(episode, sealedBefore: wasPlain ? nil : row, db)
      // Records of before are of texts, and of digests from now on.
      if wasPlain { log?.noteWritten(episode, AuditVerb.encrypt) }
    }
  }
}
