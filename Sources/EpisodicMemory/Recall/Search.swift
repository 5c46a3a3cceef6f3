import Vectors

/// One search of one snapshot: both legs, by the index if it can and by the primary if not, their ranking, and what
/// `load` makes of the ranked episodes.
struct Search<Value: Sendable>: Sendable {
  typealias Load = @Sendable (any PrimarySnapshot, [RankedEpisode], RecallRequest) throws(MemoryError) -> Value

  let request: RecallRequest
  let ranking: Query.Ranking
  let limit: Int
  let minimumScore: Double?
  let isExact: Bool
  let load: Load

  /// - Parameter query: Checked.
  init(_ query: Query, terms: SearchTerms?, times: QuestionTimes, _ load: @escaping Load) {
    request = RecallRequest(query, terms: terms, times: times)
    ranking = query.ranking
    limit = query.limit
    minimumScore = query.minimumScore
    isExact = query.isExact
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
    var ranked: [RankedEpisode]?
    if let index, index.isAvailable {
      let answer = try index.search(request, in: snapshot, catchesUp: catchesUp) { source throws(MemoryError) in
        try rank(source, near: spaceQuery(source, snapshot))
      }
      switch answer {
      case .found(let found): ranked = found
      case .ahead, .behind: return nil
      case .silent: guard mayScan() else { return nil }
      }
    }
    if let ranked { return try load(snapshot, ranked, request) }
    let source = snapshot.candidates(for: request)
    return try load(snapshot, try rank(source, near: spaceQuery(source, snapshot)), request)
  }

  /// The request's vector in its space; `nil` if it has none, or the store none within the scope.
  private func spaceQuery(
    _ source: any CandidateSource, _ snapshot: any PrimarySnapshot
  ) throws(MemoryError) -> SpaceQuery? {
    guard let vector = request.vector else { return nil }
    var spaces = try snapshot.spaces()
    // Only vectors of the corpus may decide which space is meant, or that there is none (I8). A single space that fits decides
    // nothing: a vector outside the scope is not found in it.
    let named = spaces.filter { request.space == nil || $0.model == request.space?.model }
    if named.count != 1 || named.first?.dimensions != vector.count { spaces = try source.spaces(among: spaces) }
    return try SpaceQuery(vector, in: request.space, among: spaces)
  }

  /// Ranks the candidates of both legs, each by all that is known of it: with a score of 0 for what one leg did not find, ties
  /// would decide.
  private func rank(_ source: any CandidateSource, near query: SpaceQuery?) throws(MemoryError) -> [RankedEpisode] {
    let neighbors = try query.map { query throws(MemoryError) in try source.nearest(to: query) } ?? []
    var words = try source.wordCandidates()
    var similarities: [Int64: Double] = [:]
    if let query {
      let found = Set(words.map(\.row))
      let others = neighbors.map(\.episode).filter { !found.contains($0) }
      if request.terms != nil, !others.isEmpty { words += try source.words(of: others) }
      for neighbor in neighbors { similarities[neighbor.episode] = neighbor.similarity }
      let rest = words.map(\.row).filter { similarities[$0] == nil }
      if !rest.isEmpty {
        for (episode, similarity) in try source.similarities(of: rest, to: query) { similarities[episode] = similarity }
      }
      // A negated distance, which has no best value to be divided by, becomes 0...1 for fusion.
      if query.space.metric == .euclidean { similarities = similarities.mapValues { 1 / (1 - $0) } }
    }
    let candidates = Candidates(words: words, nearest: neighbors.map(\.episode), similarities: similarities)
    let legs: Query.Ranking.Legs = request.vector == nil ? .words : request.terms == nil ? .vector : .both
    var ranked = ranking.rank(candidates, limit: limit, legs: legs)
    if let minimumScore { ranked.removeAll { !($0.shares.total >= minimumScore) } }
    return ranked
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
