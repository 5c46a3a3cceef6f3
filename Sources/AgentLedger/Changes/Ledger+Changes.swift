import FileLocks
import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// What changes from a place on, in any process, in the order of the commits.
  ///
  /// Each change comes once. What a caller did about a change, and the change's cursor, belong in one transaction of the
  /// caller: then it goes on after a crash without missing or repeating a change. What is gone when its change is read is not
  /// told.
  ///
  /// - Parameter cursor: Of the last change that was dealt with, by this process or an earlier one; `.beginning` for all that
  ///   is kept; `nil` for what is committed after the first call of `next`.
  /// - Parameter kinds: Which changes are told; empty for all.
  public func changes(after cursor: Change.Cursor?, of kinds: Set<Change.Kind> = []) -> Changes {
    Changes(ledger: self, cursor: cursor, kinds: kinds)
  }

  /// The place after the last committed change: read the ledger after it, then follow `changes` from there.
  public func changeCursor() async throws(MemoryError) -> Change.Cursor {
    Change.Cursor(try await changeSection(after: nil, limit: 1).end, of: identity.uuid)
  }

  func changeSection(after cursor: Change.Cursor?, limit: Int) async throws(MemoryError) -> ChangeRow.Section {
    let ledger = identity.uuid
    return try await database.read { db in try ChangeRow.section(after: cursor, of: ledger, limit: limit, db) }
  }

  /// Prunes the feed of what was told before a time, and notes where it is now.
  ///
  /// - Parameter cutoff: `nil`: nothing is pruned.
  /// - Returns: How many changes went.
  func pruneChanges(_ cutoff: Int64?, isDryRun: Bool) async throws(MemoryError) -> Int {
    let (last, count) = try await database.read { db in
      let last = try cutoff.map { try ChangeMarks(db).revision(at: $0) } ?? 0
      return (
        last,
        try Int.fetchOne(db, sql: "SELECT count(*) FROM changes WHERE revision <= ?", arguments: [last]) ?? 0
      )
    }
    guard !isDryRun else { return count }
    var pruned = 0
    let atOnce = 1000
    while pruned < count {
      let some = try await database.write(grows: false) { db, now in
        try ChangeRow.prune(upTo: last, limit: atOnce, at: now, db)
      }
      pruned += some
      if some < atOnce { break }
    }
    try await database.write(grows: false) { db, now in
      var marks = try ChangeMarks(db)
      try marks.note(ChangeRow.lastRevision(db), prunedUpTo: ChangeRow.prunedRevision(db), at: now, db)
    }
    return pruned
  }
}
