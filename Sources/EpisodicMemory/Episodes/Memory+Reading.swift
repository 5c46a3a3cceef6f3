extension Memory {
  /// The episode with its steps, from the cache where it can answer, else from the primary.
  ///
  /// - Returns: `nil` where there is none.
  public func episode(_ id: Episode.ID) async throws(MemoryError) -> Episode? {
    try await reads.episode(id)
  }

  /// Episodes with their steps, newest first; a page at a time, in an order that stays put while episodes come and go.
  ///
  /// - Parameter limit: 1...1,000.
  /// - Parameter cursor: The `next` of the page before.
  public func episodes(
    _ filter: Episode.Filter = .init(), in scope: Query.Scope, after cursor: Episode.Page.Cursor? = nil, limit: Int = 50
  ) async throws(MemoryError) -> Episode.Page {
    try validation.limit(limit, most: limits.results)
    return try await primary.episodes(filter, in: scope, after: cursor, limit: limit)
  }

  /// Every episode in the order of recording, a page of at most `limit` episodes or a few megabytes at a time.
  package func episodesAsRecorded(
    after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> Episode.Page {
    try await primary.episodesAsRecorded(after: cursor, limit: limit)
  }

  /// Whether the primary has an episode. Does not read or fill the cache.
  package func contains(_ id: Episode.ID) async throws(MemoryError) -> Bool {
    try await primary.episode(id).value != nil
  }
}
