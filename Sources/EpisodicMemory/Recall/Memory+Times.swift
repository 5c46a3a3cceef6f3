extension Memory {
  /// The times that a checked query names. A read of the newest episode, if they are relative and the query does not say to what.
  func times(_ named: NamedTimes, of query: Query) async throws(MemoryError) -> QuestionTimes {
    try await named.resolved { () async throws(MemoryError) in
      var ended = Episode.Filter(statuses: query.statuses)
      // An episode of a time to come does not say that the memory goes on.
      ended.before = named.endOfDay
      return try await primary.episodes(ended, in: query.scope, after: nil, limit: 1, steps: .none).elements.first?
        .createdAt
    }
  }
}
