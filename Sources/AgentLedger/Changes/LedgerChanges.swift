import FileLocks
import GRDB
import StoreRows
public import StoreValues

extension Ledger {
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
