extension Memory {
  /// A part of the changes that there are, without waiting for those to come.
  ///
  /// - Parameter cursor: As of `changes(after:in:)`.
  /// - Returns: The gap before them, at most `limit` rows of the feed, the place after what was examined, and whether that is
  ///   the last commit.
  package func committedChanges(
    after cursor: MemoryChange.Cursor, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> (batch: WatchedChanges, end: MemoryChange.Cursor) {
    let isForeign = cursor.store.map { $0 != primary.identity } ?? false
    let position = isForeign ? .beginning : cursor.watermark
    let read = try await primary.watchedChanges(after: position, in: scope, limit: limit)
    let batch = WatchedChanges(
      gap: isForeign ? .otherHistory : read.gap, changes: read.changes, end: read.end, isComplete: read.isComplete)
    return (batch, MemoryChange.Cursor(read.end, of: primary.identity))
  }
}
