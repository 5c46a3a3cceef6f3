package import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// Repeats erasures in an older copy of a store, from their receipts: whatever the copy has under a digest is erased.
package enum ErasureReplay {
  /// Repeats those that a copy does not have itself, in one transaction, and then removes what the rows leave in the file.
  ///
  /// One that the copy has was made before the copy: an id that was used again since then stays.
  ///
  /// - Parameter receipts: In the order of the erasures; those of other stores are left out.
  /// - Parameter path: Of a database of the present schema that no process has open.
  /// - Parameter relatives: Identities that the store has had, besides those that the copy knows.
  /// - Parameter now: By the clock.
  /// - Parameter later: Those of erasures that are known to have been made after the copy, whatever the clock said.
  /// - Parameter key: Where the key of encrypted domains comes from; a record of the audit needs it.
  package static func run(
    _ receipts: [StoredReceipt], at path: String, relatives: Set<String> = [], now: Timestamp,
    later: Set<ErasureReceipt.ID> = [], auditing: Auditing = .off, key: KeyProvider? = nil,
    clock: any WallClock = SystemClock()
  ) throws(MemoryError) -> ErasureReplayReport {
    do {
      let connection = try StoredDatabaseFile.open(path)
      // Nothing is left when this returns.
      let audit = try AuditPolicy(auditing, clock: clock)
      let keyring = StoreKeyring(key, TokenizerPool(TextIndexComparison.tokenizer))
      let report = try connection.write { db in
        try KeySession.run(keyring) {
          let log = try audit.begin(db)
          let report = try run(receipts, relatives, isCleaned: true, now: now, later: later, log, db)
          try log?.write(db)
          return report
        }
      }
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
    _ receipts: [StoredReceipt], _ relatives: Set<String> = [], isCleaned: Bool, now: Timestamp,
    later: Set<ErasureReceipt.ID> = [], _ audit: AuditLog?, _ db: Database
  ) throws -> ErasureReplayReport {
    var report = ErasureReplayReport()
    let lineage = try StoreLineage(db)
    var known = Set(try ErasureRow.all(unfinished: false, db).map(\.id))
    let hadReceipts = !known.isEmpty
    let missing = try related(receipts, to: lineage, relatives).filter { known.insert($0.receipt.id).inserted }
    guard let last = missing.last else { return report }
    // So that the receipts can be verified.
    if !hadReceipts, last.key != lineage.key.map(Array.init) {
      var update = try RawStatement("UPDATE store SET digest_key = ?", db)
      try last.key.withUnsafeBytes { try update.bind($0) }
      try update.execute()
    }
    let matcher = ReceiptMatcher(missing, now: now, later: later)
    var transaction = try ErasureTransaction(db, audit)
    report.counts = try transaction.repeatErasure(of: try matcher.rows(db), named: matcher)
    for stored in missing {
      try ErasureRow.insert(stored.receipt, stored.traces, isCleaned: isCleaned, db)
      report.receipts.append(stored.receipt.id)
    }
    return report
  }

  /// Those of the same store: a copy has its key, but for one of before stores had keys, and a restored store has another
  /// identity. One whose key is lost gets that of the copy, if it is that.
  ///
  /// - Parameter known: Another key that it may be.
  /// - Throws: `.unavailable` if the key of one of them is lost: it could not be told what it names.
  static func related(
    _ receipts: [StoredReceipt], to lineage: StoreLineage, _ relatives: Set<String> = [], known: [UInt8]? = nil
  ) throws(MemoryError) -> [StoredReceipt] {
    let names = relatives.union([lineage.uuid] + lineage.ancestors)
    let own = [lineage.key.map(Array.init), known].compactMap(\.self)
    var receipts = receipts
    for index in receipts.indices where receipts[index].key.isEmpty {
      guard let key = own.first(where: { ReceiptFile.identifier(of: $0) == receipts[index].keyID }) else { continue }
      receipts[index].key = key
    }
    let relatives = receipts.filter { !names.isDisjoint(with: [$0.store.rawValue] + $0.ancestors) }
    if let lost = relatives.first(where: \.key.isEmpty) {
      throw MemoryError(
        .unavailable,
        "the key of the receipt \(lost.receipt.id) of an erasure is lost, so what it names cannot be told: put "
          + "\(ReceiptFile.keyName) back beside \(ReceiptFile.name), or remove the receipt from that to go on without it"
      )
    }
    let keys = Set(relatives.map(\.key) + own.prefix(lineage.key == nil ? 0 : 1))
    return receipts.filter { keys.contains($0.key) }
  }

  /// What a receipt names and the store has under the same id.
  static func existing(_ stored: StoredReceipt, _ db: Database) throws -> [Erasure.Trace] {
    try ReceiptMatcher([stored], onlyIDs: true).rows(db).traces(ErasureDigests(key: stored.key), db)
  }

  /// Whether a copy of a store holds what a receipt names. It is read and not changed.
  ///
  /// - Returns: `nil` if it cannot be read, or is of another schema.
  package static func holds(_ receipt: StoredReceipt, at path: String) -> Bool? {
    read(path) { db in
      // What has the receipt has nothing that was erased before.
      try ErasureRow.stored(receipt.receipt.id, db) == nil && !ReceiptMatcher([receipt]).rows(db).isEmpty
    }
  }

  /// Reads a file that nobody writes.
  ///
  /// - Returns: `nil` if it cannot be read: damaged, or of a version without one of the tables.
  static func read<Value>(_ path: String, _ body: (Database) throws -> Value) -> Value? {
    do {
      let connection = try StoredDatabaseFile.open(path, immutable: true)
      let value = try connection.read(body)
      try connection.close()
      return value
    } catch {
      return nil
    }
  }
}
