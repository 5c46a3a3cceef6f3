package import EpisodicMemory
import GRDB
import SQLiteStorage

/// Repeats erasures in an older copy of a store, from their receipts: whatever the copy has under a digest is erased.
package enum ErasureReplay {
  /// Repeats those that a copy does not have itself, in one transaction, and then removes what the rows leave in the file.
  ///
  /// One that the copy has was made before the copy: an id that was used again since then stays.
  ///
  /// - Parameter receipts: In the order of the erasures. Those of other stores, whose key is another, are left out.
  /// - Parameter path: Of a database of the present schema that no process has open.
  /// - Parameter relatives: Identities that the store has had, besides the one that the copy has.
  package static func run(
    _ receipts: [StoredReceipt], at path: String, relatives: Set<String> = []
  ) throws(MemoryError) -> ErasureReplayReport {
    do {
      let connection = try StoredDatabaseFile.open(path)
      // Nothing is left when this returns.
      let report = try connection.write { db in try run(receipts, relatives, isCleaned: true, db) }
      if !report.receipts.isEmpty {
        // Alone on the file, nothing has to be short.
        try connection.writeWithoutTransaction { db in
          for table in ["episodes_text", "steps_text", "patterns_text"] {
            try db.execute(sql: "INSERT INTO \(table) (\(table)) VALUES ('optimize')")
          }
          try db.execute(sql: "VACUUM")
        }
      }
      try StoredDatabaseFile.close(connection)
      return report
    } catch {
      throw MemoryError(storage: error, path: path)
    }
  }

  /// - Parameter isCleaned: Whether the file is cleaned with this.
  static func run(
    _ receipts: [StoredReceipt], _ relatives: Set<String> = [], isCleaned: Bool, _ db: Database
  ) throws -> ErasureReplayReport {
    var report = ErasureReplayReport()
    let known = Set(try ErasureRow.all(unfinished: false, db).map(\.id))
    let identity = try String.fetchOne(db, sql: "SELECT uuid FROM store")
    let own = try ErasureDigests(db).key
    // A copy has the key of its store, but for one from before stores had keys; a restored store has another identity.
    let keys = Set(
      receipts.filter { $0.store.rawValue == identity || relatives.contains($0.store.rawValue) }.map(\.key) + [own])
    let missing = receipts.filter { keys.contains($0.key) && !known.contains($0.receipt.id) }
    guard let last = missing.last else { return report }
    // So that the receipts can be verified.
    if known.isEmpty, last.key != own {
      var update = try RawStatement("UPDATE store SET digest_key = ?", db)
      try last.key.withUnsafeBytes { try update.bind($0) }
      try update.execute()
    }
    let wanted = Dictionary(grouping: missing, by: \.key).map { key, receipts in
      (digests: ErasureDigests(key: key), traces: Set(receipts.flatMap(\.traces)))
    }
    var rows = ErasedRows()
    try forEachName(db) { subject, row, name in
      guard wanted.contains(where: { $0.traces.contains($0.digests.trace(subject, name)) }) else { return }
      switch subject {
      case .episode: rows.episodes[row] = name
      case .pattern: rows.patterns[row] = ErasedRows.PatternName(id: name, key: "")
      case .idempotencyKey:
        let parts = name.split(separator: "\0", maxSplits: 1, omittingEmptySubsequences: false)
        rows.idempotencyKeys.insert(IdempotencyKeyName(domain: String(parts[0]), key: String(parts.last ?? "")))
      case .orphan: rows.orphans.insert(row)
      }
    }
    for (row, pattern) in rows.patterns {
      let key = try String.fetchOne(
        db, sql: "SELECT \(ErasureSearch.patternKey) FROM patterns p WHERE p.seq = ?", arguments: [row])
      rows.patterns[row] = ErasedRows.PatternName(id: pattern.id, key: key ?? "")
    }
    var transaction = try ErasureTransaction(db)
    report.counts = try transaction.repeatErasure(of: rows)
    for stored in missing {
      try ErasureRow.insert(stored.receipt, stored.traces, isCleaned: isCleaned, db)
      report.receipts.append(stored.receipt.id)
    }
    return report
  }

  /// What everything that can be erased is named by, with its row; keys of requests have none.
  static func forEachName(
    _ db: Database, _ body: (Erasure.Subject, _ row: Int64, _ name: String) throws -> Void
  ) throws {
    let queries: [(Erasure.Subject, String)] = [
      (.episode, "SELECT seq, id FROM episodes"), (.pattern, "SELECT seq, id FROM patterns"),
      (.orphan, "SELECT seq, content FROM orphans_kept"),
    ]
    for (subject, sql) in queries {
      var rows = try RawStatement(sql, db)
      while try rows.step() { try body(subject, rows.integer(0), rows.text(1)) }
    }
    var keys = try RawStatement("SELECT domain, key FROM idempotency_keys", db)
    while try keys.step() {
      try body(.idempotencyKey, 0, IdempotencyKeyName(domain: keys.text(0), key: keys.text(1)).name)
    }
  }

  /// Whether a copy of a store holds what receipts name. It is read and not changed.
  ///
  /// - Returns: `nil` if it cannot be read, or is of another schema.
  package static func holds(_ receipt: StoredReceipt, at path: String) -> Bool? {
    do {
      let connection = try StoredDatabaseFile.open(path, immutable: true)
      let digests = ErasureDigests(key: receipt.key)
      let wanted = Set(receipt.traces)
      let isFound = try connection.read { db -> Bool in
        struct Found: Error {}
        do {
          try forEachName(db) { subject, _, name in
            if wanted.contains(digests.trace(subject, name)) { throw Found() }
          }
          return false
        } catch is Found {
          return true
        }
      }
      try connection.close()
      return isFound
    } catch {
      // Damaged, or of a version without one of the tables: it may hold it.
      return nil
    }
  }
}
