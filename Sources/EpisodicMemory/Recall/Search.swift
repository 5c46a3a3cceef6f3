import Heaps
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
  init(_ query: Query, terms: SearchTerms?, _ load: @escaping Load) {
    request = RecallRequest(query, terms: terms)
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
    var query: SpaceQuery?
    if let vector = request.vector {
      var spaces = try snapshot.spaces()
      // Only vectors within scope and filter may decide which space is meant, or that there is none (I8). A single space that
      // fits decides nothing: a vector outside the scope is not found in it.
      let named = spaces.filter { request.space == nil || $0.model == request.space?.model }
      let isScoped = request.space == nil || request.scope != .everything
      if isScoped, named.count != 1 || named.first?.dimensions != vector.count {
        guard mayScan() else { return nil }
        spaces = try snapshot.spaces(request.scope, request.filter)
      }
      query = try SpaceQuery(vector, in: request.space, among: spaces)
    }
    // Few episodes are compared one by one; the index ranks only their words.
    let few = try snapshot.admission(request.scope, request.filter).few
    let searched = few == nil ? query : nil
    var found = IndexCandidates(words: nil, neighbors: nil)
    if let index, index.isAvailable, request.terms != nil || searched != nil {
      switch try index.candidates(for: request, near: searched, in: snapshot, catchesUp: catchesUp) {
      case .found(let candidates): found = candidates
      case .ahead, .behind: return nil
      case .silent: break
      }
      let isComplete = (request.terms == nil || found.words != nil) && (searched == nil || found.neighbors != nil)
      guard isComplete || mayScan() else { return nil }
    }
    var words = found.words ?? []
    if found.words == nil, request.terms != nil { words = try snapshot.words(request) }
    let similarities = try VectorSimilarities(found.neighbors, query, request, of: words, among: few, in: snapshot)
    let candidates = Candidates(words: words, nearest: similarities.nearest, similarities: similarities.byEpisode)
    let legs: Query.Ranking.Legs = request.vector == nil ? .words : request.terms == nil ? .vector : .both
    var ranked = ranking.rank(candidates, limit: limit, legs: legs)
    if let minimumScore { ranked.removeAll { !($0.shares.total >= minimumScore) } }
    return try load(snapshot, ranked, request)
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

/// The similarity of episodes to a query's vector, each by the best of its vectors.
private struct VectorSimilarities {
  /// Rows of the nearest episodes, best first; of equal ones the last recorded first.
  private(set) var nearest: [Int64] = []
  private(set) var byEpisode: [Int64: Double] = [:]

  /// - Parameter neighbors: Those of the index; `nil` to compare every vector that passes scope and filter.
  /// - Parameter few: The episodes that pass, if they are few.
  /// - Parameter query: `nil`: the request has no vector, or the store none within its scope.
  /// - Parameter words: The episodes of the word leg. Those that are not among the nearest are compared, too: with a score of
  ///   0 instead, ties would decide.
  init(
    _ neighbors: [Neighbor]?, _ query: SpaceQuery?, _ request: RecallRequest, of words: [Candidates.Words],
    among few: [Int64]?, in snapshot: any PrimarySnapshot
  ) throws(MemoryError) {
    guard let query else { return }
    let metric = query.space.metric
    if let neighbors {
      for neighbor in neighbors { insert(neighbor.episode, neighbor.similarity, metric) }
      nearest = byEpisode.sorted { ($1.value, $1.key) < ($0.value, $0.key) }.map(\.key)
      for episode in words.map(\.row) where byEpisode[episode] == nil {
        if let best = try snapshot.similarity(ofEpisode: episode, to: query.vector, in: query.space) {
          insert(episode, best, metric)
        }
      }
      return
    }
    var best: [Int64: Double] = [:]
    if let few {
      for episode in few {
        best[episode] = try snapshot.similarity(ofEpisode: episode, to: query.vector, in: query.space)
      }
    } else {
      try snapshot.neighbors(query.vector, in: query.space, request.scope, request.filter) { _, episode, similarity in
        best[episode] = max(best[episode] ?? -.infinity, similarity)
      }
    }
    for (episode, similarity) in best { insert(episode, similarity, metric) }
    var top = TopK<Scored<Int64>>(request.depth)
    // Of equal scores `TopK` keeps the smaller id: negated, the last recorded.
    for (episode, similarity) in byEpisode { top.insert(Scored(-episode, score: similarity)) }
    nearest = top.ranked().map { -$0.id }
  }

  /// Maps a negated distance, which has no best value to be divided by, to 0...1 for fusion.
  private mutating func insert(_ episode: Int64, _ similarity: Double, _ metric: Metric) {
    let similarity = metric == .euclidean ? 1 / (1 - similarity) : similarity
    byEpisode[episode] = max(byEpisode[episode] ?? -.infinity, similarity)
  }
}
