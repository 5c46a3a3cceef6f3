extension Memory {
  /// The episode with its steps, from the cache or, on a miss, from the primary; `nil` if there is none.
  ///
  /// - Parameter steps: Which of its steps to read. A part of them comes from the cache if that has the whole episode, and is
  ///   not cached otherwise.
  /// - Throws: `.invalid` for a negative number of steps.
  /// - Complexity: Reads the selected steps, and counts the others in their index: 6 ms for 100,000.
  public func episode(
    _ id: Episode.ID, steps selection: StepSelection = .all
  ) async throws(MemoryError) -> Episode? {
    #if Tracing
      try await span("episode") { () async throws(MemoryError) in try await find(id, selection) }
    #else
      // A hit takes no microsecond: not even a closure stands in its way.
      try await find(id, selection)
    #endif
  }

  @inline(__always)
  private func find(_ id: Episode.ID, _ selection: StepSelection) async throws(MemoryError) -> Episode? {
    try validation.selection(selection)
    let key = CacheKey.episode(id)
    let (lookup, stamp) = try await reads.find(key, as: Episode.self)
    if case .hit(let episode) = lookup { return episode?.keeping(selection) }
    if selection == .all {
      return try await reads.load(key, at: stamp, sharing: reads.episodes) { primary async throws(MemoryError) in
        try await primary.episode(id, steps: .all)
      }
    }
    let found = try await primary.episode(id, steps: selection)
    if stamp != nil, found.isCacheable {
      await reads.fill(CacheFill(found.value, id: id).map { [$0] } ?? [], asOf: found.asOf)
    }
    return found.value
  }

  /// Several episodes as of one moment, in the order of the ids, without those that there are not. An id that is given twice
  /// is answered twice.
  ///
  /// - Parameter ids: At most `limits.results`, which is 1,000.
  /// - Parameter steps: As of `episode(_:steps:)`.
  /// - Throws: `.limitExceeded` for more ids, `.invalid` for a negative number of steps.
  /// - Complexity: A look into the cache for each, and one read of the primary for all that it lacks.
  public func episodes(
    _ ids: [Episode.ID], steps selection: StepSelection = .all
  ) async throws(MemoryError) -> [Episode] {
    try validation.selection(selection)
    guard ids.count <= limits.results else {
      throw MemoryError(.limitExceeded, "\(ids.count) ids are given; ask for at most \(limits.results) at a time")
    }
    guard let first = ids.first else { return [] }
    var seen: Set<Episode.ID> = []
    let distinct = ids.filter { seen.insert($0).inserted }
    let (lookup, stamp) = try await reads.find(.episode(first), as: Episode.self)
    var found: [Episode.ID: Episode] = [:]
    var missing = distinct
    if let stamp {
      missing = distinct.filter { id in
        let lookup = id == first ? lookup : reads.find(.episode(id), .at(stamp))
        guard case .hit(let episode) = lookup else { return true }
        found[id] = episode?.keeping(selection)
        return false
      }
    }
    if !missing.isEmpty {
      var loaded = try await primary.episodes(missing, steps: selection)
      // A commit after the cached ones were read: all are read from one snapshot.
      if missing.count < distinct.count, try primary.commitStamp() != stamp {
        missing = distinct
        found = [:]
        loaded = try await primary.episodes(missing, steps: selection)
      }
      for episode in loaded.value { found[episode.id] = episode }
      if stamp != nil, loaded.isCacheable {
        await reads.fill(missing.compactMap { CacheFill(found[$0], id: $0) }, asOf: loaded.asOf)
      }
    }
    return ids.compactMap { found[$0] }
  }

  /// Episodes with their steps, newest first, a page at a time. The order is stable while episodes are added and deleted.
  ///
  /// - Parameter limit: 1...1,000.
  /// - Parameter cursor: `next` of the previous page.
  /// - Parameter steps: Which steps of each episode to read.
  /// - Throws: `.invalid`.
  /// - Complexity: Reads the page by an index. A filter by steps is answered from the steps if one of its conditions leaves at
  ///   most 4,096 of them in the store, in up to 20 ms; otherwise the episodes of the scope are asked one after the other,
  ///   1 us each for a tool or an outcome and 60 us for words, until the page is full.
  public func episodes(
    _ filter: Episode.Filter = .init(), in scope: Query.Scope, after cursor: Episode.Page.Cursor? = nil,
    limit: Int = 50, steps selection: StepSelection = .all
  ) async throws(MemoryError) -> Episode.Page {
    try await span("episodes", scope) { () async throws(MemoryError) in
      try validation.limit(limit, most: limits.results)
      try validation.selection(selection)
      try validation.filter(filter)
      return try await primary.episodes(filter, in: scope, after: cursor, limit: limit, steps: selection)
    }
  }

  /// The steps of an episode in the order of their numbers, a page at a time. Never from the cache.
  ///
  /// - Parameter number: `next` of the previous page; `nil` for the first.
  /// - Parameter limit: 1...1,000.
  /// - Throws: `.notFound` if there is no such episode.
  /// - Complexity: Reads the steps of the page alone.
  public func steps(
    of id: Episode.ID, after number: Int? = nil, limit: Int = 100
  ) async throws(MemoryError) -> Step.Page {
    try await steps(of: id, in: .everything, after: number, limit: limit)
  }

  /// - Throws: `.notFound` also for an episode outside the scope (I8).
  package func steps(
    of id: Episode.ID, in scope: Query.Scope, after number: Int?, limit: Int
  ) async throws(MemoryError) -> Step.Page {
    try await span("steps", scope) { () async throws(MemoryError) in
      try validation.limit(limit, most: limits.results)
      return try await primary.steps(of: id, in: scope, after: number, limit: limit)
    }
  }

  /// The domains that have episodes, by name.
  ///
  /// - Complexity: Visits each episode in an index: 0.1 s for a million.
  public func domains() async throws(MemoryError) -> [DomainSummary] {
    try await span("domains") { () async throws(MemoryError) in
      try await primary.domains()
    }
  }

  /// The sessions of a scope, the one with the newest episode first, a page at a time.
  ///
  /// A name that several domains use is a session in each of them.
  ///
  /// - Parameter cursor: `next` of the previous page. A session that gets another episode moves to the front: a page that is
  ///   read later does not show it again.
  /// - Parameter limit: 1...1,000.
  /// - Throws: `.invalid`.
  /// - Complexity: Visits the episodes that are newer than the last session of the page, each with a look into an index.
  public func sessions(
    in scope: Query.Scope, after cursor: Episode.Page.Cursor? = nil, limit: Int = 50
  ) async throws(MemoryError) -> SessionSummary.Page {
    try await span("sessions", scope) { () async throws(MemoryError) in
      try validation.limit(limit, most: limits.results)
      return try await primary.sessions(in: scope, after: cursor, limit: limit)
    }
  }

  /// Every episode in the order of recording, a page of at most `limit` episodes or a few megabytes at a time.
  package func episodesAsRecorded(
    after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> Episode.Page {
    try await primary.episodesAsRecorded(after: cursor, limit: limit)
  }

  /// Whether the primary has an episode. Does not read or fill the cache.
  package func contains(_ id: Episode.ID) async throws(MemoryError) -> Bool {
    try await primary.episode(id, steps: .none).value != nil
  }
}
