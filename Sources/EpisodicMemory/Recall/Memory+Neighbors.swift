extension Hit {
  /// Episodes of the hit's session, in the order of time; of equal times, in the order of recording.
  public struct Neighbors: Hashable, Sendable {
    /// Those before the hit.
    public var before: [Episode]
    /// Those after it.
    public var after: [Episode]

    /// None, unless given.
    public init(before: [Episode] = [], after: [Episode] = []) {
      self.before = before
      self.after = after
    }

    /// Whether there are none.
    public var isEmpty: Bool { before.isEmpty && after.isEmpty }
  }
}

extension Memory {
  /// The episodes that match a query, each with those beside it in its session: what was said or done before and after.
  ///
  /// As `recall(_:)` with `Query.neighbors`. Neighbours are of the hit's domain and of the statuses that the query searches;
  /// they are trusted no less than the hit, or are trusted. Other conditions of its filter are for hits. They are read with each call, by the query's selection of steps.
  ///
  /// - Parameter neighbors: On each side, 0...10.
  /// - Complexity: A read of the primary, about 20 us an episode.
  public func recall(_ query: Query, neighbors: Int) async throws(MemoryError) -> [Hit] {
    var query = query
    query.neighbors = neighbors
    return try await recall(query)
  }

  /// The episodes that match a query, as much of them as a model may read.
  ///
  /// The best hits come first, each with its most useful parts: its context, the steps that matched, the last error, the last
  /// step. The rest fills what is left. A text that is too long keeps its beginning and its end.
  ///
  /// - Parameter tokens: By `TokenEstimate`, 100 to 1,000,000,000; hits have about 100 and more each, so that few tokens show
  ///   few hits.
  /// - Returns: The hits with an estimate each, and a count of what did not fit.
  /// - Throws: As `recall(_:)`; `.invalid` for fewer tokens.
  public func recall(_ query: Query, tokens: Int) async throws(MemoryError) -> FittedHits {
    guard FittedHits.allowedTokens.contains(tokens) else {
      throw MemoryError(
        .invalid, "tokens is \(tokens); give 100, which show one hit in part, to 1,000,000,000, which show all of each")
    }
    return FittedHits(try await recall(query), tokens: tokens)
  }

  func addingNeighbors(to hits: [Hit], _ query: Query) async throws(MemoryError) -> [Hit] {
    guard query.neighbors > 0, !hits.isEmpty else { return hits }
    let neighbors = try await primary.neighbors(
      of: hits.map(\.episode.id), query.statuses, query.trust ?? .untrusted ... .verified, in: query.scope,
      count: query.neighbors, steps: query.steps)
    return zip(hits, neighbors).map { hit, neighbors in
      var hit = hit
      hit.neighbors = neighbors
      return hit
    }
  }
}
