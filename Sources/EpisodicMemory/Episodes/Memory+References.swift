extension Memory {
  /// Ids that begin with a text, in order, so that an equal one comes first. By the index of ids.
  package func episodeIDs(
    beginningWith prefix: String, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> [Episode.ID] {
    try await primary.episodeIDs(beginningWith: prefix, in: scope, limit: limit)
  }

  /// For each id the characters of its shortest beginning that no other episode's id has. Two look-ups in the index of ids
  /// for each.
  package func uniqueBeginnings(of ids: [Episode.ID]) async throws(MemoryError) -> [Int] {
    try await primary.uniqueBeginnings(of: ids)
  }

  /// Ids of the newest episodes, newest first. Reads no steps.
  package func newestEpisodeIDs(in scope: Query.Scope, limit: Int) async throws(MemoryError) -> [Episode.ID] {
    try await primary.newestEpisodeIDs(in: scope, limit: limit)
  }

  /// The pattern with this id; `nil` if there is none. Does not read or fill the cache.
  package func pattern(_ id: Pattern.ID) async throws(MemoryError) -> Pattern? { try await primary.pattern(id) }
}
