import Vectors

/// Finds the episodes that a ranking compares, and every signal of each.
struct CandidatePool {
  /// Windows that are searched on their own; an episode of a further one counts as of that time if it is found otherwise.
  private static let searchedWindows = 4
  /// Best candidates whose neighbors are compared, at least the limit. More of them change no ranking of ten.
  private static let expandedCandidates = 50

  private let request: RecallRequest
  private let limit: Int
  private let ranking: Query.Ranking
  /// `nil`: no vector leg.
  private let query: SpaceQuery?
  private let windows: [Range<Timestamp>]
  private let source: any CandidateSource

  /// Rows that each leg found, best first, of any time.
  private(set) var byWords: [Int64] = []
  private(set) var byVector: [Int64] = []
  private(set) var statistics = WordStatistics()
  private var similarities: [Int64: Double] = [:]
  private var places: [Int64: SessionPlace] = [:]
  /// Whose places are known, those without a session too.
  private var placed: Set<Int64> = []
  private var rows: [Int64] = []
  private var known: Set<Int64> = []

  /// - Parameter windows: The times that the question names.
  init(
    _ request: RecallRequest, _ ranking: Query.Ranking, limit: Int, near query: SpaceQuery?,
    windows: [Range<Timestamp>], in source: any CandidateSource
  ) {
    self.request = request
    self.limit = limit
    self.ranking = ranking
    self.query = query
    self.windows = ranking.timeWeight > 0 ? windows : []
    self.source = source
  }

  /// - Complexity: Two searches, two for each window, and some microseconds an episode.
  mutating func find() throws(MemoryError) -> RankingPool {
    if request.terms != nil {
      statistics = try source.wordStatistics()
      byWords = try source.wordCandidates(in: nil).map(\.row)
      add(byWords)
    }
    byVector = try nearest(in: nil)
    add(byVector)
    for window in windows.prefix(Self.searchedWindows) { try addEpisodes(of: window) }
    var pool = RankingPool(
      legs: request.vector == nil ? .words : request.terms == nil ? .vector : .both,
      information: request.terms == nil ? 0 : statistics.information(stepWeight: ranking.searchedStepWeight),
      entries: try entries(of: rows))
    if ranking.usesSessions {
      let count = max(Self.expandedCandidates, limit)
      let neighbors = try addNeighbors(of: pool.bestMatches(count, by: ranking), reach: ranking.comparedNeighbors)
      if !neighbors.isEmpty { pool.entries += try entries(of: neighbors) }
    }
    return pool
  }

  /// Every signal of some episodes of the corpus, in the order of `rows`.
  mutating func entries(of rows: [Int64]) throws(MemoryError) -> [RankingPool.Entry] {
    var words: [Int64: Candidates.Words] = [:]
    if request.terms != nil {
      for match in try source.words(of: rows) { words[match.row] = match }
    }
    if let query {
      let others = rows.filter { similarities[$0] == nil }
      if !others.isEmpty { keep(try source.similarities(of: others, to: query), of: query) }
    }
    if ranking.usesSessions { try place(rows) }
    let attributes = try source.attributes(of: rows)
    let together = StepsTogetherScorer(statistics)
    let requires = request.terms.map { !$0.phrases.isEmpty || !$0.prefixes.isEmpty } ?? false
    return rows.compactMap { row in
      guard let attributes = attributes[row] else { return nil }
      let match = words[row]
      var entry = RankingPool.Entry(words: match ?? Candidates.Words(row: row), createdAt: attributes.createdAt)
      if let match, ranking.stepsTogetherWeight > 0 {
        entry.together = together.score(match.stepOccurrences, tokens: match.stepTokens)
      }
      entry.similarity = similarities[row]
      entry.place = places[row]
      entry.isInWindow = windows.contains { $0.contains(attributes.createdAt) }
      entry.success = attributes.successRate ?? (attributes.status == .completed ? 1 : 0)
      entry.trust = attributes.trust
      entry.passes = attributes.passes
      entry.hasRequired = match != nil || !requires
      return entry
    }
  }

  // MARK: Finding

  @discardableResult
  private mutating func add(_ found: [Int64]) -> [Int64] {
    let new = found.filter { known.insert($0).inserted }
    rows += new
    return new
  }

  private mutating func nearest(in window: Range<Timestamp>?) throws(MemoryError) -> [Int64] {
    guard let query else { return [] }
    let neighbors = try source.nearest(to: query, in: window)
    keep(Dictionary(neighbors.map { ($0.episode, $0.similarity) }) { max($0, $1) }, of: query)
    return neighbors.map(\.episode)
  }

  private mutating func keep(_ found: [Int64: Double], of query: SpaceQuery) {
    for (row, similarity) in found {
      similarities[row] =
        switch query.space.metric {
        case .cosine: min(1, similarity)
        case .dotProduct: similarity
        // A negated distance, which has no best value, becomes 0...1.
        case .euclidean: 1 / (1 - similarity)
        }
    }
  }

  /// The best of a time by each leg, and if these are few, the newest.
  private mutating func addEpisodes(of window: Range<Timestamp>) throws(MemoryError) {
    var found = Set<Int64>()
    if request.terms != nil {
      let words = try source.wordCandidates(in: window).map(\.row)
      add(words)
      found.formUnion(words)
    }
    let nearest = try nearest(in: window)
    add(nearest)
    found.formUnion(nearest)
    if found.count < request.depth { add(try source.newest(in: window)) }
  }

  /// Adds the episodes before and after some in their sessions.
  ///
  /// - Parameter reach: How many on each side.
  /// - Returns: Those that were added.
  private mutating func addNeighbors(of rows: [Int64], reach: Int) throws(MemoryError) -> [Int64] {
    var added: [Int64] = []
    var edge = rows
    for _ in 0..<reach {
      try place(edge)
      let neighbors = Set(edge.flatMap { row in [places[row]?.previous, places[row]?.next].compactMap(\.self) })
      // Sorted, so that the same question makes the same reads.
      edge = neighbors.sorted()
      added += add(edge)
    }
    return added
  }

  /// Finds where episodes stand in their sessions.
  private mutating func place(_ rows: [Int64]) throws(MemoryError) {
    let others = rows.filter { placed.insert($0).inserted }
    if !others.isEmpty { places.merge(try source.sessionPlaces(of: others)) { $1 } }
  }
}
