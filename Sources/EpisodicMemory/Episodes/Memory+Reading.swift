extension Memory {
  /// The episode with its steps, from the cache or, on a miss, from the primary; `nil` if there is none.
  public func episode(_ id: Episode.ID) async throws(MemoryError) -> Episode? {
    let key = CacheKey.episode(id)
    let (lookup, stamp) = try await reads.find(key, as: Episode.self)
    if case .hit(let episode) = lookup { return episode }
    return try await reads.load(key, at: stamp, sharing: reads.episodes) { primary async throws(MemoryError) in
      try await primary.episode(id)
    }
  }

  /// Episodes with their steps, newest first, a page at a time. The order is stable while episodes are added and deleted.
  ///
  /// - Parameter limit: 1...1,000.
  /// - Parameter cursor: `next` of the previous page.
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
