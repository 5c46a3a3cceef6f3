extension Memory {
  /// What changes from a place on, in any process, in the order of the commits.
  ///
  /// Each change comes once. A change is told within microseconds of its commit in this `Memory`, and within 50 ms in any
  /// other, of this process or another. What a caller did about a change, and the change's cursor, belong in one
  /// transaction of the caller: then it goes on after a crash without missing or repeating a change.
  ///
  /// A deleted episode is one change; the deletion of its steps and embeddings is not told apart.
  ///
  /// - Parameter cursor: Of the last change that was dealt with, by this process or an earlier one; `.beginning` for all that
  ///   is kept; `nil` for what is committed after the first call of `next`.
  /// - Parameter scope: A domain shows the changes of its own episodes and patterns; changes without a domain belong to
  ///   `.everything` (I8).
  public func changes(after cursor: MemoryChange.Cursor?, in scope: Query.Scope) -> MemoryChanges {
    MemoryChanges(primary: primary, cursor: cursor, scope: scope)
  }

  /// The place after the last committed change: read the store after it, then follow `changes` from there.
  public func changeCursor() async throws(MemoryError) -> MemoryChange.Cursor {
    MemoryChange.Cursor(
      try await primary.watchedChanges(after: nil, in: .everything, limit: 0).end, of: primary.identity)
  }
}
