extension Memory {
  /// The episodes that answer a query, best first, and why they do.
  ///
  /// Draws on completed and failed episodes unless the filter names statuses. Answers are cached: a change to an episode
  /// of the query's scope makes the next call search again, unless the query allows for older ones. How rare a word is counts over the whole store, and other
  /// domains and running episodes may move that under a cached answer; see the decision on corpus statistics.
  ///
  /// - Returns: At most `query.limit` hits; of equal scores, the last recorded first. By a vector among many, each of the best is found
  ///   with a probability of .99 and more, unless the query asks for an exact answer.
  /// - Throws: `.invalid` for a query without a word or a vector, a vector that is not finite or all zero, or one whose
  ///   space is not the store's; `.dimensionMismatch` where its length is not that of the space (I6).
  /// - Complexity: Milliseconds for a million episodes. While the index is being built, words cost in proportion to the rows
  ///   they match and a vector one pass over its space.
  public func recall(_ query: Query) async throws(MemoryError) -> [Hit] {
    let terms = try searchTerms(of: query)
    let key = query.cacheKey(terms: terms)
    if let staleness = query.maximumStaleness, let hits = try await olderHits(for: query, key, staleness) {
      return hits
    }
    switch try await reads.find(key, as: Answer.self) {
    case .found(let answer?, let stamp):
      if let hits = try await hits(for: answer, at: stamp) { return hits }
      return try await search(query, terms: terms, key: nil)
    case .found(nil, _), .missed(nil): return try await search(query, terms: terms, key: nil)
    case .missed(let stamp?):
      return try await reads.searches.join(key, at: stamp) { () async throws(MemoryError) in
        try await search(query, terms: terms, key: key)
      }
    }
  }

  /// The episodes that answer a query, best first, without the episodes: what `recall` does before it loads them.
  ///
  /// Never from the cache.
  ///
  /// - Throws: As `recall`.
  public func search(_ query: Query) async throws(MemoryError) -> [SearchHit] {
    try await search(query, terms: try searchTerms(of: query)) { snapshot, ranked, _ throws(MemoryError) in
      try snapshot.searchHits(ranked)
    }
  }

  /// - Parameter key: What to keep the answer under; `nil` for not at all.
  private func search(_ query: Query, terms: SearchTerms?, key: CacheKey?) async throws(MemoryError) -> [Hit] {
    let found = try await search(query, terms: terms) { snapshot, ranked, request throws(MemoryError) in
      Versioned(try snapshot.hits(ranked, request), asOf: try snapshot.watermark())
    }
    guard let key else { return found.value }
    // Which vectors there are decides what a vector means, and an answer that none took part in has no tag for that.
    var fills: [CacheFill] = []
    if query.vector == nil || found.value.contains(where: { $0.shares.vector != 0 }) {
      fills.append(CacheFill(key, with: Answer(found.value), tags: query.tags, afterMiss: true))
    }
    for hit in found.value {
      let id = hit.episode.id
      fills.append(CacheFill(.episode(id), with: hit.episode, tags: [.episode(id.rawValue)], afterMiss: false))
    }
    await reads.keep(fills, asOf: found.asOf)
    return found.value
  }

  /// Tries before a search gives up on an index that other processes keep ahead of it.
  private static let maximumTries = 8

  /// Searches one snapshot, and makes something of what was found in it.
  private func search<Value: Sendable>(
    _ query: Query, terms: SearchTerms?,
    _ load: @escaping @Sendable (any PrimarySnapshot, [RankedEpisode], RecallRequest) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let ranking = query.ranking
    var filter = query.filter
    filter.statuses = query.statuses
    let isHybrid = query.vector != nil && terms != nil
    let request = RecallRequest(
      terms: terms, vector: query.vector, space: query.space, scope: query.scope, filter: filter,
      depth: max(isHybrid ? ranking.depth : 0, query.limit), stepsPerEpisode: ranking.stepsPerEpisode,
      stepWeight: ranking.stepWeight, excerpts: query.excerpts)
    let follower = follower
    for attempt in 1...Self.maximumTries {
      try MemoryError.throwIfCancelled()
      let search = Search(request, query, index: attempt < Self.maximumTries ? index : nil)
      if attempt == 1, search.mayBeBrief, briefSearches.mayTry, let found = try brief(search, request, load) {
        return found
      }
      let found: Value? = try await primary.read { snapshot throws(MemoryError) in
        let ranked = try search.run(in: snapshot, isBrief: false) {
          follower.start()
          return true
        }
        return try ranked.map { ranked throws(MemoryError) in try load(snapshot, ranked, request) }
      }
      if let found { return found }
    }
    throw MemoryError(.unavailable, "the search was overtaken by other processes again and again; try again")
  }

  /// Searches on this thread, which must not be kept for long: only where the index answers as it stands, and while such
  /// searches take less than a millisecond.
  private func brief<Value>(
    _ search: Search, _ request: RecallRequest,
    _ load: (any PrimarySnapshot, [RankedEpisode], RecallRequest) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value? {
    let start = ContinuousClock.now
    defer { briefSearches.took(ContinuousClock.now - start) }
    do throws(MemoryError) {
      let found: Value?? = try primary.readBriefly { snapshot throws(MemoryError) in
        let ranked = try search.run(in: snapshot, isBrief: true) { false }
        return try ranked.map { ranked throws(MemoryError) in try load(snapshot, ranked, request) }
      }
      return found ?? nil
    } catch let error where error.code == .busy {
      // Another process has the primary just now; whoever may wait gets it.
      return nil
    }
  }

  /// Puts the episodes into an answer that was found at `stamp`; `nil` where they are not all to be had as of then.
  private func hits(for answer: Answer, at stamp: CommitStamp) async throws(MemoryError) -> [Hit]? {
    var episodes: [Episode?] = []
    episodes.reserveCapacity(answer.lines.count)
    var missing: [Episode.ID] = []
    for line in answer.lines {
      episodes.append(reads.find(.episode(line.id), at: stamp))
      if episodes.last == .some(nil) { missing.append(line.id) }
    }
    if !missing.isEmpty {
      var loaded = try await reads.load(missing, at: stamp)[...]
      // One that is gone, or what the primary said may be newer than the answer.
      guard loaded.count == missing.count, try primary.commitStamp() == stamp else { return nil }
      for place in episodes.indices where episodes[place] == nil { episodes[place] = loaded.removeFirst() }
    }
    return zip(answer.lines, episodes).compactMap { line, episode in episode.map { Hit(line, $0) } }
  }

  /// An answer that may be as old as the query allows, with its episodes as they are now; `nil` where there is none.
  private func olderHits(
    for query: Query, _ key: CacheKey, _ staleness: Duration
  ) async throws(MemoryError) -> [Hit]? {
    guard cache.isAvailable, case .hit(let encoded) = cache.find(key, .within(milliseconds: staleness.milliseconds)),
      let answer: Answer = reads.decode(encoded, key)
    else { return nil }
    var filter = query.filter
    filter.statuses = query.statuses
    var hits: [Hit] = []
    for line in answer.lines {
      // One that is gone, has come back in another domain (I8) or passes the filter no more is no answer.
      guard let episode = try await reads.episode(line.id), query.scope.includes(episode.domain),
        filter.admits(episode)
      else { continue }
      hits.append(Hit(line, episode))
    }
    return hits
  }

  /// Checks the query and takes its words apart; `nil` where it has only a vector.
  private func searchTerms(of query: Query) throws(MemoryError) -> SearchTerms? {
    let validation = validation
    try validation.limit(query.limit, most: limits.results)
    if let text = query.text { try validation.text(text, "text") }
    for phrase in query.phrases { try validation.text(phrase, "phrase") }
    for prefix in query.prefixes { try validation.text(prefix, "prefix") }
    if let vector = query.vector { try validation.vector(vector, "vector") }
    try validation.ranking(query.ranking)
    if let minimumScore = query.minimumScore, minimumScore.isNaN {
      throw MemoryError(.invalid, "minimumScore is NaN; give a number or leave it out")
    }
    if let space = query.space, let vector = query.vector, space.dimensions != vector.count {
      throw MemoryError(
        .dimensionMismatch,
        "the query's vector has \(vector.count) numbers and its space \(space.model) \(space.dimensions); embed with that model"
      )
    }
    if case .domain(let domain) = query.scope { try validation.name(domain, "domain") }
    let terms = try SearchTerms(text: query.text, phrases: query.phrases, prefixes: query.prefixes)
    if terms.isEmpty && query.vector == nil {
      throw MemoryError(.invalid, "the query has no word and no vector; say what to look for")
    }
    return terms.isEmpty ? nil : terms
  }
}

extension Hit {
  fileprivate init(_ line: Answer.Line, _ episode: Episode) {
    self.init(episode: episode, score: line.score, shares: line.shares, matches: line.matches)
  }
}
