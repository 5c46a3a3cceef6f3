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

  /// The changes of a ledger in the order of their commits, without an end.
  ///
  /// An iterator that has told all changes waits for the next commit, of this process or another. It keeps no transaction open: a
  /// slow reader delays nobody. Iterating throws `.closed` after `close()`, `.cancelled` as soon as the task is cancelled, and
  /// what a read of the ledger throws. The next iterator goes on from the cursor of the last change.
  public struct Changes: AsyncSequence, Sendable {
    /// What is told.
    public enum Element: Hashable, Sendable {
      /// A committed change.
      case change(Change)
      /// Changes may be missing here. What follows begins with the oldest change that is kept.
      case gap(Change.Gap)
    }

    public typealias Failure = MemoryError

    let ledger: Ledger
    let cursor: Change.Cursor?
    let kinds: Set<Change.Kind>

    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// Reads the feed in portions, and waits for commits in between.
    public struct Iterator: AsyncIteratorProtocol {
      /// Rows of the feed that one read examines.
      private static let batchSize = 512

      private let ledger: Ledger
      private let kinds: Set<Change.Kind>
      /// `nil` before the first read of an iterator that begins at the last commit.
      private var position: Change.Cursor?
      private var waiting: [Element] = []
      /// The commit up to which everything has been read; `nil` if there is more to read.
      private var stamp: CommitStamp?
      private var isOver = false

      init(_ changes: Changes) {
        (ledger, kinds, position) = (changes.ledger, changes.kinds, changes.cursor)
      }

      public mutating func next() async throws(MemoryError) -> Element? { try await next(isolation: #isolation) }

      /// - Returns: `nil` only after an error.
      public mutating func next(isolation: isolated (any Actor)?) async throws(MemoryError) -> Element? {
        if isOver { return nil }
        do throws(MemoryError) {
          while true {
            if _Concurrency.Task.isCancelled { throw MemoryError(.cancelled, "the task was cancelled") }
            if let element = waiting.popLast() { return element }
            if let stamp { try await ledger.waitForCommit(after: stamp) }
            try await read()
          }
        } catch {
          isOver = true
          throw error
        }
      }

      private mutating func read() async throws(MemoryError) {
        // Taken before the read, so that a commit between the two ends the wait at once.
        let now = try ledger.commitStamp()
        let section = try await ledger.changeSection(after: position, limit: Self.batchSize)
        position = Change.Cursor(section.end, of: ledger.identity.uuid)
        stamp = section.isComplete ? now : nil
        waiting = section.changes.reversed().filter { kinds.isEmpty || kinds.contains($0.subject.kind) }
          .map(Element.change)
        if let gap = section.gap { waiting.append(.gap(gap)) }
      }
    }
  }
}
