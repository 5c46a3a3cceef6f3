import Vectors

/// One search of one snapshot: its candidates, by the index if it can and by the primary if not, their ranking, and what `load`
/// makes of it.
struct Search<Value: Sendable>: Sendable {
  typealias Load = @Sendable (any PrimarySnapshot, RankedSearch, RecallRequest) throws(MemoryError) -> Value

  /// Events that are searched for, of those beside which a question names a time.
  private static var maximumEvents: Int { 2 }

  let request: RecallRequest
  let ranking: Query.Ranking
  let limit: Int
  let minimumScore: Double?
  let isExact: Bool
  /// Searches for the events beside which the question names a time.
  private let events: [(event: TimeCues.Event, request: RecallRequest)]
  /// Episodes to explain besides the hits; `nil`: nothing is to be explained.
  private let explained: [Episode.ID]?
  private let load: Load

  /// - Parameter query: Checked.
  init(
    _ query: Query, terms: SearchTerms?, times: QuestionTimes, explaining explained: [Episode.ID]? = nil,
    _ load: @escaping Load
  ) throws(MemoryError) {
    request = RecallRequest(query, terms: terms, times: times)
    ranking = query.ranking
    limit = query.limit
    minimumScore = query.minimumScore
    isExact = query.isExact
    var events: [(event: TimeCues.Event, request: RecallRequest)] = []
    if let text = query.text, ranking.timeWeight > 0 {
      for event in times.events.prefix(Self.maximumEvents) {
        let terms = try SearchTerms(text: String(text[event.event]), phrases: [], prefixes: [])
        if !terms.isEmpty { events.append((event, RecallRequest(event: query, terms: terms))) }
      }
    }
    self.events = events
    self.explained = explained
    self.load = load
  }

  /// - Parameter index: `nil` to search the primary alone.
  /// - Parameter catchesUp: Whether the index may apply missing changes first, which takes milliseconds.
  /// - Parameter mayScan: Called before the primary visits every match or vector because the index cannot answer, which
  ///   takes long; false ends the search.
  /// - Returns: `nil` if the snapshot is older than the index, or `mayScan` was false.
  func run(
    in snapshot: any PrimarySnapshot, _ index: (any SearchIndex)?, catchesUp: Bool, mayScan: () -> Bool
  ) throws(MemoryError) -> Value? {
    let isEncrypted = try snapshot.isEncrypted(request.scope)
    // Reads and decrypts every vector of the domain, and is not for the calling thread.
    if isEncrypted, !catchesUp { return nil }
    func candidates<Found: Sendable>(
      for request: RecallRequest, _ body: (any CandidateSource) throws(MemoryError) -> Found
    ) throws(MemoryError) -> Found? {
      if let index, index.isAvailable, !isEncrypted {
        switch try index.search(request, in: snapshot, catchesUp: catchesUp, body) {
        case .found(let value): return value
        case .ahead, .behind: return nil
        case .silent: guard mayScan() else { return nil }
        }
      }
      return try body(snapshot.candidates(for: request))
    }
    var cues = request.times.cues
    for (event, request) in events {
      let found = try candidates(for: request) { source throws(MemoryError) in
        try time(ofBest: request, in: source)
      }
      guard let found else { return nil }
      if let time = found { cues += event.windows(event: time, zone: self.request.times.zone) }
    }
    let rows = try explained.map { ids throws(MemoryError) in try snapshot.rows(of: ids, in: request.scope) }
    var limiter = try SourceLimiter(snapshot, perSource: request.perSource)
    var ranked = RankedSearch(episodes: [])
    for tier in try tiers(in: snapshot) {
      var request = request
      request.filter.trust = tier
      // Those of a source that fills the candidates are passed over: then more are looked at.
      for depth in Self.depths(from: request.depth) {
        request.depth = depth
        let before = ranked
        var limits = limiter
        let found = try candidates(for: request) { source throws(MemoryError) in
          try rank(source, request, &limits, after: before, near: spaceQuery(source, snapshot), cues, explaining: rows)
        }
        guard let found else { return nil }
        if found.isComplete || depth == Self.maximumDepth {
          (ranked, limiter) = (found.ranked, limits)
          break
        }
      }
      if ranked.episodes.count >= limit { break }
    }
    // Each term is looked up on its own, as a request of one: which ones an episode has is not in its score.
    for term in ranked.details?.lookups ?? [] {
      let request = RecallRequest(request, terms: term.terms)
      let rows = ranked.details?.rows ?? []
      let found = try candidates(for: request) { source throws(MemoryError) in
        (having: Set(try source.words(of: rows).map(\.row)), isKnown: try source.wordStatistics().unknown == 0)
      }
      guard let found else { return nil }
      ranked.details?.add(term, having: found.having, isKnown: found.isKnown)
    }
    return try load(snapshot, ranked, request)
  }

  /// The request's vector in its space; `nil` if it has none, or the store none within the scope.
  private func spaceQuery(
    _ source: any CandidateSource, _ snapshot: any PrimarySnapshot
  ) throws(MemoryError) -> SpaceQuery? {
    guard let vector = request.vector else { return nil }
    var spaces = try snapshot.spaces()
    // Only vectors of the corpus may decide which space is meant, or that there is none (I8). A single space that fits decides
    // nothing if it was not named: a vector outside the scope is not found in it.
    let named = spaces.filter { request.space == nil || $0.model == request.space?.model }
    let isNamedInDomain = request.space != nil && request.scope != .everything
    if isNamedInDomain || named.count != 1 || named.first?.dimensions != vector.count {
      spaces = try source.spaces(among: spaces)
    }
    return try SpaceQuery(vector, in: request.space, among: spaces)
  }

  /// Candidates of a leg beyond which no more are looked at because of sources that fill them.
  private static var maximumDepth: Int { 3_200 }

  private static func depths(from depth: Int) -> [Int] {
    depth < maximumDepth ? [depth, min(max(1, depth) * 8, maximumDepth), maximumDepth] : [maximumDepth]
  }

  /// The parts of the trust that is asked for, of which each is ranked after the one before.
  private func tiers(in snapshot: any PrimarySnapshot) throws(MemoryError) -> [ClosedRange<Trust>] {
    let all = request.filter.trust ?? .untrusted ... .verified
    guard ranking.trustedFirst, explained == nil, all.lowerBound < .trusted, all.upperBound >= .trusted else {
      return [all]
    }
    let others = all.lowerBound...Trust.unverified
    let trusted = Trust.trusted...all.upperBound
    return try snapshot.hasEpisodes(trusted: others) ? [trusted, others] : [trusted]
  }

  /// Ranks a tier after those before it.
  ///
  /// - Parameter rows: Of episodes to explain; `nil`: nothing is to be explained.
  /// - Returns: Whether more candidates could add hits, because some were passed over for their source.
  private func rank(
    _ source: any CandidateSource, _ request: RecallRequest, _ limiter: inout SourceLimiter, after before: RankedSearch,
    near query: SpaceQuery?, _ cues: [TimeCue], explaining rows: [Episode.ID: Int64]?
  ) throws(MemoryError) -> (ranked: RankedSearch, isComplete: Bool) {
    var candidates = CandidatePool(
      request, ranking, limit: limit, near: query, windows: cues.map(\.window), in: source)
    let pool = try candidates.find()
    var order = pool.ranked(by: ranking)
    if ranking.trustedFirst {
      // In an explanation all are ranked at once.
      order =
        order.filter { pool.entries[$0.place].trust >= .trusted }
        + order.filter { pool.entries[$0.place].trust < .trusted }
    }
    var ranked = before
    var passedOver = 0
    var least = before.episodes.last.map(\.score)
    for index in order.indices where ranked.episodes.count < limit {
      let score = order[index].score
      guard minimumScore == nil || score >= minimumScore ?? 0 else { continue }
      let entry = pool.entries[order[index].place]
      switch try limiter.verdict(on: entry.row, entry.trust) {
      case .refused: passedOver += 1
      case .copy(let row):
        passedOver += 1
        if let place = ranked.episodes.firstIndex(where: { $0.row == row }) { ranked.episodes[place].copies += 1 }
      case .admitted:
        if ranking.trustedFirst, entry.trust < .trusted, let least { order[index].lower(below: least) }
        if entry.trust >= .trusted { least = order[index].score }
        ranked.episodes.append(RankedEpisode(order[index], entry, stepsPerEpisode: request.stepsPerEpisode))
      }
    }
    let isComplete = passedOver == 0 || ranked.episodes.count >= limit || pool.entries.count < request.depth
    if let rows {
      let compared = Set(pool.entries.map(\.row))
      let others = rows.values.filter { !compared.contains($0) }
      var space = query?.space
      // One that only another domain has is not named (I8).
      if let found = space { space = try source.spaces(among: [found]).first }
      ranked.details = SearchDetails(
        request, ranking, candidates.statistics, space, cues, pool, order, hits: ranked.episodes.count,
        asked: rows, others: try candidates.entries(of: others))
    }
    return (ranked, isComplete)
  }

  /// When the episode was created that matches an event best by its words and its session; `nil` if none does.
  private func time(
    ofBest request: RecallRequest, in source: any CandidateSource
  ) throws(MemoryError) -> Timestamp? {
    var candidates = CandidatePool(request, ranking, limit: 1, near: nil, windows: [], in: source)
    let pool = try candidates.find()
    return pool.ranked(by: ranking).first.map { pool.entries[$0.place].createdAt }
  }
}

/// The outcome of a search, before its episodes are loaded.
struct RankedSearch: Sendable {
  /// The hits, best first.
  var episodes: [RankedEpisode]
  /// If it is to be explained.
  var details: SearchDetails?
}

extension RecallRequest {
  /// A request for what happened beside the time of a question: by words alone, whatever the filter but for statuses.
  fileprivate init(event query: Query, terms: SearchTerms) {
    var query = query
    query.vector = nil
    query.filter = Episode.Filter(statuses: query.statuses)
    query.limit = 1
    self.init(query, terms: terms)
  }

  /// A request for one term of another.
  fileprivate init(_ other: RecallRequest, terms: SearchTerms) {
    self = other
    self.terms = terms
  }
}

extension RankingPool.Ranked {
  /// Takes off what it scores more than a little less than `score`.
  fileprivate mutating func lower(below score: Double) {
    let most = 0.99 * score
    guard total > most else { return }
    shares.trust = most - total
    total = most
  }
}

extension RankedEpisode {
  fileprivate init(_ ranked: RankingPool.Ranked, _ entry: RankingPool.Entry, stepsPerEpisode: Int) {
    self.init(
      row: entry.row, score: ranked.score, shares: ranked.shares, contextMatches: entry.words.context > 0,
      steps: entry.words.steps.prefix(stepsPerEpisode).map(\.row))
  }
}

extension SpaceQuery {
  /// - Returns: `nil` if there are no spaces.
  /// - Throws: `.invalid` and `.dimensionMismatch` as `EmbeddingSpace.resolve`.
  fileprivate init?(
    _ components: [Float], in named: EmbeddingSpace?, among spaces: [EmbeddingSpace]
  ) throws(MemoryError) {
    guard let space = try EmbeddingSpace.resolve(named, dimensions: components.count, among: spaces) else { return nil }
    do {
      self.init(VectorQuery(try Vector(components), metric: space.metric), in: space)
    } catch {
      throw MemoryError(.invalid, "vector: \(error)", cause: error)
    }
  }
}
