import FileLocks

/// The changes of a store in the order of their commits, without an end.
///
/// An iterator that has told all changes waits for the next commit, of this process or another. It holds a few hundred
/// changes at most, and keeps no transaction open: a slow reader delays nobody.
///
/// Iterating throws `.closed` after `close()` of the memory, `.cancelled` as soon as the task is cancelled, and what a read of
/// the store throws. The next iterator goes on from the cursor of the last change.
public struct MemoryChanges: AsyncSequence, Sendable {
  public enum Element: Hashable, Sendable {
    /// A committed change.
    case change(MemoryChange)
    /// Changes may be missing here. What follows begins with the oldest change that is kept.
    case gap(MemoryChange.Gap)
  }

  public typealias Failure = MemoryError

  let primary: any PrimaryStore
  let cursor: MemoryChange.Cursor?
  let scope: Query.Scope

  public func makeAsyncIterator() -> Iterator { Iterator(primary, after: cursor, in: scope) }

  /// Reads the feed in portions, and waits for commits in between.
  public struct Iterator: AsyncIteratorProtocol {
    /// Rows of the feed that one read examines.
    private static let batchSize = 512

    private let primary: any PrimaryStore
    private let scope: Query.Scope
    /// `nil` before the first read of an iterator that begins at the last commit.
    private var position: Watermark?
    /// The gap before the first change, if the cursor is of another store.
    private var foreignCursor: MemoryChange.Gap?
    private var waiting: [Element] = []
    /// The commit up to which everything has been read; `nil` if there is more to read.
    private var stamp: CommitStamp?
    private var isOver = false

    init(_ primary: any PrimaryStore, after cursor: MemoryChange.Cursor?, in scope: Query.Scope) {
      self.primary = primary
      self.scope = scope
      position = cursor?.watermark
      guard let store = cursor?.store, store != primary.identity else { return }
      position = .beginning
      foreignCursor = .otherHistory
    }

    public mutating func next() async throws(MemoryError) -> Element? {
      try await next(isolation: #isolation)
    }

    /// - Returns: `nil` only after an error.
    public mutating func next(isolation: isolated (any Actor)?) async throws(MemoryError) -> Element? {
      if isOver { return nil }
      do throws(MemoryError) {
        while true {
          try MemoryError.throwIfCancelled()
          if let element = waiting.popLast() { return element }
          if let stamp { try await primary.waitForCommit(after: stamp) }
          try await read()
        }
      } catch {
        isOver = true
        throw error
      }
    }

    private mutating func read() async throws(MemoryError) {
      // Taken before the read, so that a commit between the two ends the wait at once.
      let now = try primary.commitStamp()
      let batch = try await primary.watchedChanges(after: position, in: scope, limit: Self.batchSize)
      position = batch.end
      stamp = batch.isComplete ? now : nil
      waiting = batch.changes.reversed().map(Element.change)
      if let gap = foreignCursor ?? batch.gap { waiting.append(.gap(gap)) }
      foreignCursor = nil
    }
  }
}
