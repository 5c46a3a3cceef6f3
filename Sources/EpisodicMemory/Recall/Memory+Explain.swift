extension Memory {
  /// How a query comes to its hits: the terms with their rarity, the times, each hit's signals, and what became of episodes that
  /// are missed. Never from the cache.
  ///
  /// - Parameter whyNot: Episodes of the scope to explain besides the hits. Of one in another domain nothing is said but that
  ///   the scope has no such episode (I8).
  /// - Throws: As `recall`.
  /// - Complexity: As `search`, and a lookup of each term.
  public func explain(
    _ query: Query, whyNot: [Episode.ID] = []
  ) async throws(MemoryError) -> RecallExplanation {
    try await span("explain", query.scope) { () async throws(MemoryError) in
      let terms = try searchTerms(of: query)
      let times = try await times(NamedTimes(query, clock: clock), of: query)
      return try await run(
        try Search(query, terms: terms, times: times, explaining: whyNot) {
          snapshot, ranked, request throws(MemoryError) in
          guard let details = ranked.details else { return RecallExplanation() }
          var explanation = RecallExplanation()
          explanation.terms = details.terms
          explanation.unknown = details.unknown
          explanation.space = details.space
          explanation.windows = details.cues.map { cue in
            RecallExplanation.Window(
              words: query.text.map { String($0[cue.words]) } ?? "", from: cue.window.lowerBound,
              until: cue.window.upperBound)
          }
          for hit in details.hits {
            if let entry = try details.entry(of: hit, snapshot) { explanation.hits.append(entry) }
          }
          for id in whyNot { explanation.fates.append(try details.fate(of: id, query, request, snapshot)) }
          return explanation
        })
    }
  }
}

extension SearchDetails {
  fileprivate func fate(
    of id: Episode.ID, _ query: Query, _ request: RecallRequest, _ snapshot: any PrimarySnapshot
  ) throws(MemoryError) -> RecallExplanation.Fate {
    guard let row = askedRows[id] else { return RecallExplanation.Fate(id: id, reason: .notInScope) }
    var entry: RecallExplanation.Entry?
    if let asked = asked[row] {
      entry = try self.entry(of: asked, snapshot)
      if asked.entry.passes {
        let reason = asked.reason(minimumScore: query.minimumScore ?? 0, hits: hits.count)
        return RecallExplanation.Fate(id: id, reason: reason, entry: entry)
      }
    }
    // Only here the episode is loaded: to compare what the filter compares.
    let episode = try snapshot.hits([RankedEpisode(row: row)], request).first?.episode
    let fields = episode.map { query.filter.fields(leavingOut: $0, query.statuses, query.trust) } ?? []
    return RecallExplanation.Fate(id: id, reason: .filtered(fields), entry: entry)
  }

  /// - Returns: `nil` if the episode does not exist.
  fileprivate func entry(
    of explained: Explained, _ snapshot: any PrimarySnapshot
  ) throws(MemoryError) -> RecallExplanation.Entry? {
    let entry = explained.entry
    // Numbers of steps, and the id.
    let named = try snapshot.searchHits([RankedEpisode(row: entry.row, steps: entry.words.steps.map(\.row))]).first
    guard let named else { return nil }
    var signals = RecallExplanation.Signals()
    signals.context = entry.words.context
    signals.steps = zip(named.steps, entry.words.steps).map { RecallExplanation.StepScore(step: $0, score: $1.score) }
    signals.together = entry.together
    signals.similarity = entry.similarity
    signals.isInWindow = entry.isInWindow
    signals.success = entry.success
    let matched = matched[entry.row] ?? []
    return RecallExplanation.Entry(
      id: named.id, rank: explained.rank, score: explained.ranked?.score ?? 0,
      shares: explained.ranked?.shares ?? Hit.Shares(), signals: signals, matched: matched,
      missing: terms.map(\.text).filter { !matched.contains($0) })
  }
}

extension SearchDetails.Explained {
  /// Of an episode that passes the filter.
  fileprivate func reason(minimumScore: Double, hits: Int) -> RecallExplanation.Reason {
    if !entry.hasRequired { return .lacksRequired }
    guard let ranked else { return .noMatch }
    guard isCompared, let rank else {
      let matches =
        entry.words.context > 0 || !entry.words.steps.isEmpty || entry.similarity != nil || entry.isInWindow
      return matches ? .beyondDepth : .noMatch
    }
    if rank <= hits { return .found }
    return ranked.score < minimumScore ? .belowMinimumScore : .beyondLimit
  }
}

extension Episode.Filter {
  /// The fields by which an episode does not pass, as they are called in JSON.
  fileprivate func fields(
    leavingOut episode: Episode, _ statuses: Set<Episode.Status>, _ trust: ClosedRange<Trust>?
  ) -> [String] {
    var fields: [String] = []
    if let session, session != episode.session { fields.append("session") }
    if let taskType, taskType != episode.taskType { fields.append("task_type") }
    if !statuses.contains(episode.status) { fields.append("status") }
    if let after, episode.createdAt < after { fields.append("after") }
    if let before, episode.createdAt >= before { fields.append("before") }
    if let trust, !trust.contains(episode.trust) { fields.append("trust") }
    // All else passes.
    return fields.isEmpty && step != nil ? ["step"] : fields
  }
}

extension RankedEpisode {
  /// An episode that is loaded for what it is, not for its score.
  fileprivate init(row: Int64, steps: [Int64] = []) {
    self.init(row: row, score: 0, shares: Hit.Shares(), contextMatches: false, steps: steps)
  }
}
