import FileLocks
import Synchronization

extension Memory {
  /// The episodes that match a query, best first, with what matched.
  ///
  /// Searches completed and failed episodes unless the filter names statuses. Results are cached: a change to an episode of
  /// the query's scope makes the next call search again, unless the query allows for older ones. The rarity of a word is
  /// counted in the scope, without running episodes unless they are asked for, so that no other change moves a result.
  ///
  /// - Returns: At most `query.limit` hits; of equal scores the newest first. A vector search among many finds each of
  ///   the best with a probability of .99 and more, unless the query is exact.
  /// - Throws: `.invalid` for a query without a word or a vector, a vector that is not finite or all zero, or one whose
  ///   space is not the store's; `.dimensionMismatch` if its length is not that of the space (I6).
  /// - Complexity: Milliseconds for a million episodes. A filter by steps adds up to 20 ms if one of its conditions leaves at
  ///   most 4,096 steps in the store; otherwise each candidate is asked, 1 us for a tool or an outcome and 60 us for words. While the index is being built, words cost in proportion to the rows
  ///   they match and a vector one pass over its space.
  public func recall(_ query: Query) async throws(MemoryError) -> [Hit] {
    try await span("recall", query.scope) { () async throws(MemoryError) in
      guard let recalled = observer.recalled else {
        return try await addingNeighbors(to: try await hits(of: query), query)
      }
      let start = ContinuousClock.now
      let hits = try await addingNeighbors(to: try await hits(of: query), query)
      recalled(ContinuousClock.now - start, hits.count)
      return hits
    }
  }

  private func hits(of query: Query) async throws(MemoryError) -> [Hit] {
    let terms = try searchTerms(of: query)
    let named = NamedTimes(query, clock: clock)
    let key = query.cacheKey(terms: terms, times: named)
    if let staleness = query.maximumStaleness, let hits = try await olderHits(for: query, key, staleness) {
      return hits
    }
    let (lookup, stamp) = try await reads.find(key, as: CachedHits.self)
    if case .hit(let cached?) = lookup, let stamp {
      if let hits = try await hits(of: cached, at: stamp, steps: query.steps) { return hits }
    } else if let stamp {
      return try await reads.searches.join(key.selecting(query.steps), at: stamp) { () async throws(MemoryError) in
        let found = try await hits(of: query, terms: terms, named)
        await fill(key, with: found, of: query)
        return found.value
      }
    }
    return try await hits(of: query, terms: terms, named).value
  }

  private func hits(
    of query: Query, terms: SearchTerms?, _ named: NamedTimes
  ) async throws(MemoryError) -> Versioned<[Hit]> {
    let times = try await times(named, of: query)
    return try await run(
      try Search(query, terms: terms, times: times) { snapshot, ranked, request throws(MemoryError) in
        let hits = try snapshot.hits(ranked.episodes, request)
        return Versioned(hits, asOf: try snapshot.watermark(), isCacheable: !snapshot.hasOpenedSealedRows)
      })
  }

  /// Recalls by words alone: `recall("flaky login", in: .domain("web"))`. As `recall(_:)` with `Query(text:scope:limit:)`.
  ///
  /// - Throws: `.invalid` if the text has no word.
  public func recall(
    _ text: String, in scope: Query.Scope, filter: Episode.Filter = .init(), limit: Int = 10
  ) async throws(MemoryError) -> [Hit] {
    try await recall(Query(text: text, scope: scope, filter: filter, limit: limit))
  }

  /// The episodes that match a query, best first, by id: what `recall` does before it loads them. Never from the cache.
  ///
  /// - Throws: As `recall`.
  public func search(_ query: Query) async throws(MemoryError) -> [SearchHit] {
    try await span("search", query.scope) { () async throws(MemoryError) in
      let terms = try searchTerms(of: query)
      let times = try await times(NamedTimes(query, clock: clock), of: query)
      return try await run(
        try Search(query, terms: terms, times: times) { snapshot, ranked, _ throws(MemoryError) in
          try snapshot.searchHits(ranked.episodes)
        })
    }
  }

  /// Snapshots that a search takes before it does without an index that other processes keep ahead of them.
  private static let maximumTries = 8

  /// Runs a search in one snapshot: on the calling thread if the index can answer as it stands and searches take less than
  /// a millisecond, else on a reader's thread.
  func run<Value>(_ search: Search<Value>) async throws(MemoryError) -> Value {
    try MemoryError.throwIfCancelled()
    let index = search.isExact ? nil : index
    // A step filter may take milliseconds.
    if let index, index.isAvailable, search.request.filter.step == nil, inlineSearches.mayTry {
      let start = ContinuousClock.now
      defer { inlineSearches.took(ContinuousClock.now - start) }
      do throws(MemoryError) {
        let found: Value?? = try primary.readWithoutWaiting { snapshot throws(MemoryError) in
          try search.run(in: snapshot, index, catchesUp: false) { false }
        }
        if let found = found ?? nil { return found }
      } catch let error where error.code == .busy {
        // Another process holds a lock of the primary; a reader's thread may wait for it.
      }
    }
    let follower = follower
    for attempt in 1...Self.maximumTries {
      try MemoryError.throwIfCancelled()
      let index = attempt < Self.maximumTries ? index : nil
      let found = try await primary.read { snapshot throws(MemoryError) in
        try search.run(in: snapshot, index, catchesUp: true) {
          follower.start()
          return true
        }
      }
      if let found { return found }
    }
    throw MemoryError(.unavailable, "the search was overtaken by other processes again and again; try again")
  }

  // MARK: Cached hits

  private func fill(_ key: CacheKey, with found: Versioned<[Hit]>, of query: Query) async {
    guard found.isCacheable else { return }
    var fills: [CacheFill] = []
    // The spaces of a store decide what a vector means; a result without a vector's share has no tag for a change of those.
    if query.vector == nil || found.value.contains(where: { $0.shares.vector != 0 }) {
      fills.append(CacheFill(key, with: CachedHits(found.value), tags: query.tags, afterMiss: true))
    }
    fills += found.value.compactMap { hit in CacheFill(hit.episode, id: hit.episode.id, afterMiss: false) }
    await reads.fill(fills, asOf: found.asOf)
  }

  /// Joins hits cached at `stamp` with their episodes; `nil` if not all of those can be read as of then.
  private func hits(
    of cached: CachedHits, at stamp: CommitStamp, steps selection: StepSelection
  ) async throws(MemoryError) -> [Hit]? {
    var episodes: [Episode?] = []
    episodes.reserveCapacity(cached.entries.count)
    var missing: [Episode.ID] = []
    for entry in cached.entries {
      let lookup: CacheLookup<Episode> = reads.find(.episode(entry.id), .at(stamp))
      if case .hit(let episode?) = lookup {
        episodes.append(episode.keeping(selection))
      } else {
        episodes.append(nil)
        missing.append(entry.id)
      }
    }
    if !missing.isEmpty {
      var loaded =
        try await selection == .all
        ? reads.load(missing, at: stamp)[...] : primary.episodes(missing, steps: selection).value[...]
      // An episode may have been deleted, and the primary may be newer than the cached hits.
      guard loaded.count == missing.count, try primary.commitStamp() == stamp else { return nil }
      for place in episodes.indices where episodes[place] == nil { episodes[place] = loaded.removeFirst() }
    }
    return zip(cached.entries, episodes).compactMap { entry, episode in episode.map { Hit(entry, $0) } }
  }

  /// Hits as old as the query allows, with their episodes as they are now; `nil` if the cache has none.
  private func olderHits(
    for query: Query, _ key: CacheKey, _ staleness: Duration
  ) async throws(MemoryError) -> [Hit]? {
    let freshness = Freshness.within(milliseconds: staleness.milliseconds)
    guard cache.isAvailable, case .hit(let cached?) = reads.find(key, freshness) as CacheLookup<CachedHits> else {
      return nil
    }
    var filter = query.filter
    filter.statuses = query.statuses
    filter.trust = query.trust
    var passing: Set<Episode.ID>?
    if filter.step != nil {
      let ids = cached.entries.map(\.id)
      let (scope, filter) = (query.scope, filter)
      passing = try await primary.read { snapshot throws(MemoryError) in try snapshot.passing(ids, scope, filter) }
    }
    var hits: [Hit] = []
    for entry in cached.entries where passing?.contains(entry.id) ?? true {
      // Leaves out what was deleted, is in another domain now (I8), or no longer passes the filter.
      guard let episode = try await episode(entry.id, steps: query.steps), query.scope.includes(episode.domain),
        filter.admitsFields(of: episode)
      else { continue }
      hits.append(Hit(entry, episode))
    }
    return hits
  }

  // MARK: Checking

  /// The terms of a query that is valid; `nil` if it has only a vector.
  func searchTerms(of query: Query) throws(MemoryError) -> SearchTerms? {
    let validation = validation
    try validation.limit(query.limit, most: limits.results)
    if let text = query.text { try validation.query(text, "text") }
    for phrase in query.phrases { try validation.query(phrase, "phrase") }
    for prefix in query.prefixes { try validation.query(prefix, "prefix") }
    if let vector = query.vector { try validation.vector(vector, "vector") }
    try validation.ranking(query.ranking)
    try validation.selection(query.steps)
    try validation.filter(query.filter)
    try validation.time(query.askedAt, "askedAt")
    if let most = query.maximumPerSource, most < 1 {
      throw MemoryError(.invalid, "maximumPerSource is \(most); it is at least 1")
    }
    guard query.trust != nil else {
      throw MemoryError(
        .invalid,
        "minimumTrust \(query.minimumTrust?.rawValue ?? "") is more than the filter allows; leave one of them out")
    }
    guard (0...10).contains(query.neighbors) else {
      throw MemoryError(.invalid, "neighbors is \(query.neighbors); it lies in 0...10")
    }
    if let minimumScore = query.minimumScore, !(0...1).contains(minimumScore) {
      throw MemoryError(.invalid, "minimumScore is \(minimumScore); scores lie in 0...1")
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

extension CacheKey {
  /// The key under which concurrent searches share one result: the cached hits of a query are the same whichever steps are
  /// read, the loaded ones are not.
  fileprivate func selecting(_ steps: StepSelection) -> CacheKey {
    steps.limit.map { CacheKey(kind, "\(name):\($0)") } ?? self
  }
}

/// Whether searches may run on the calling thread, which is so while they take less than a millisecond.
///
/// A change of threads costs as much as most searches of a small store. A search's cost is known only afterwards: after one
/// of more than a millisecond the next 64 use another thread, then one is tried on the calling thread again.
final class InlineSearches: Sendable {
  private static let limit = Duration.milliseconds(1)
  private static let pause = 64

  private let toSkip = Atomic(0)

  var mayTry: Bool {
    if toSkip.load(ordering: .relaxed) <= 0 { return true }
    return toSkip.wrappingSubtract(1, ordering: .relaxed).oldValue <= 0
  }

  func took(_ duration: Duration) {
    if duration > Self.limit { toSkip.store(Self.pause, ordering: .relaxed) }
  }
}
