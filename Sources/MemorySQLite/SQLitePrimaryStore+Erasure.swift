package import EpisodicMemory
import GRDB
import SQLiteStorage
import Synchronization

extension SQLitePrimaryStore {
  package func erase(
    _ request: ErasureRequest, dryRun: Bool, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) -> ErasureReceipt {
    progress(Erasure.Progress(.search))
    if dryRun { return try await readRows { db in try Self.preview(request, db) } }
    if let reason = readOnlyReason {
      throw MemoryError(.readOnly, "\(database.path) cannot be written: \(reason); nothing was erased")
    }
    // Reading all texts takes seconds in a large store, and writers would wait.
    let (earlier, watermark) = try await readRows { db in
      (try ErasureSearch(request, db).run(), try ChangeFeed.watermark(db))
    }
    progress(Erasure.Progress(.rows))
    let (receipt, texts) = try await writeAudited { db, log -> (ErasureReceipt, ByteWindows) in
      var transaction = try ErasureTransaction(db, log)
      let receipt = try transaction.perform(request, after: earlier, asOf: watermark)
      return (receipt, transaction.texts)
    }
    erasedTexts.add(texts, of: receipt.id)
    return receipt
  }

  private static func preview(_ request: ErasureRequest, _ db: Database) throws -> ErasureReceipt {
    let search = ErasureSearch(request, db)
    var rows = try search.run()
    if request.patterns == .eraseWithoutEvidence {
      rows.patterns.merge(try search.patternsWithoutEvidence(but: rows)) { first, _ in first }
    }
    let counts = try ErasureTransaction.count(rows, db)
    guard !counts.isEmpty || request.isInCopies else { throw ErasureTransaction.nothing(request) }
    return ErasureReceipt(
      id: request.id, selection: request.described(by: try ErasureDigests(db)), counts: counts, erasedAt: request.now,
      backups: request.copies.map(\.name))
  }

  package func cleanErased(
    leftBy selection: Erasure.Selection?, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) {
    do {
      let unfinished = try await database.read { db in try ErasureRow.all(unfinished: true, db).map(\.id) }
      var texts = erasedTexts.texts(of: unfinished)
      if let selection {
        if let left = selection.textsOfGone { texts?.add(left) } else { texts = nil }
      }
      try await PrimaryCleaning(database: database, busyTimeout: busyTimeout, progress: progress).run(lookingFor: texts)
    } catch {
      throw explained(error)
    }
  }

  package func repeatErasures(_ receipts: [StoredReceipt], at now: Timestamp) async throws(MemoryError) {
    let ids = receipts.map(\.receipt.id)
    let isMissing = try await readRows { db in
      !Set(try ErasureRow.all(unfinished: false, db).map(\.id)).isSuperset(of: ids)
    }
    guard isMissing else { return }
    _ = try await writeAudited { db, log in try ErasureReplay.run(receipts, isCleaned: false, now: now, log, db) }
  }

  package func finishErasure(
    _ id: ErasureReceipt.ID, backups: [String], at now: Timestamp
  ) async throws(MemoryError) {
    try await writeRows { db in
      try db.execute(
        sql: "UPDATE erasures SET cleaned_at = ?, backups = ? WHERE id = ?",
        arguments: [now.milliseconds, try ErasureRow.text(backups), id.rawValue])
    }
    erasedTexts.remove(id)
  }

  package func receipts(unfinished: Bool) async throws(MemoryError) -> [ErasureReceipt] {
    try await readRows { db in try ErasureRow.all(unfinished: unfinished, db) }
  }

  package func storedReceipt(_ id: ErasureReceipt.ID) async throws(MemoryError) -> StoredReceipt? {
    try await readRows { db in try ErasureRow.stored(id, db) }
  }

  package func existing(_ receipt: StoredReceipt) async throws(MemoryError) -> [Erasure.Trace] {
    try await readRows { db in try ErasureReplay.existing(receipt, db) }
  }

  package func erasureDigest(
    _ subject: Erasure.Subject, of id: String
  ) async throws(MemoryError) -> Erasure.Digest {
    try await readRows { db in try ErasureDigests(db).digest(subject.rawValue, id) }
  }

  @discardableResult
  package func truncateLog(waitingAtMost wait: Duration) async throws(MemoryError) -> Bool {
    do {
      return try await database.truncateLog(waitingAtMost: wait)
    } catch {
      throw explained(error)
    }
  }
}

/// Pieces of the texts that this process has erased and not cleaned yet. Never stored.
final class ErasedTexts: Sendable {
  private let texts = Mutex<[ErasureReceipt.ID: ByteWindows]>([:])

  func add(_ new: ByteWindows, of id: ErasureReceipt.ID) { texts.withLock { $0[id] = new } }
  func remove(_ id: ErasureReceipt.ID) { texts.withLock { $0[id] = nil } }

  /// - Returns: `nil` if those of an erasure are not known.
  func texts(of ids: [ErasureReceipt.ID]) -> ByteWindows? {
    texts.withLock { texts in
      var all = ByteWindows()
      for id in ids {
        guard let known = texts[id] else { return nil }
        all.add(known)
      }
      return all
    }
  }
}
