import Vectors

/// One search: both legs, by the index where it can and by the primary where it cannot, and their ranking.
struct Search: Sendable {
  let request: RecallRequest
  let ranking: Ranking
  let limit: Int
  let minimumScore: Double?
  private let index: any SearchIndex

  /// - Parameter request: Checked.
  /// - Parameter index: `nil` for a search of the primary alone.
  init(_ request: RecallRequest, _ query: Query, index: (any SearchIndex)?) {
    self.request = request
    self.ranking = query.ranking
    self.limit = query.limit
    self.minimumScore = query.minimumScore
    self.index = query.isExact ? NoIndex(because: "the query is exact") : index ?? NoIndex(because: "overtaken")
  }

  /// Whether the index could answer, so that the search may be a matter of milliseconds.
  var mayBeBrief: Bool { index.isAvailable }

  /// The episodes that answer, best first, as of the snapshot.
  ///
  /// - Parameter behind: Called where the index has nothing to say and should follow, or every vector has to be visited;
  ///   answers whether the primary may do so, which takes long.
  /// - Parameter isBrief: Whether only what the index has already will do: it does not catch up first.
  /// - Returns: `nil` where the index is ahead of the snapshot: take a newer one; and where the primary is not to search.
  func run(
    in snapshot: any PrimarySnapshot, isBrief: Bool, behind: () -> Bool
  ) throws(MemoryError) -> [RankedEpisode]? {
    guard var likeness = try likeness(in: snapshot, isBrief, behind),
      let words = try words(also: likeness.nearest, in: snapshot, isBrief, behind)
    else { return nil }
    try likeness.complete(words.map(\.row), in: snapshot)
    let known = likeness.byEpisode
    let candidates = Candidates(words: words, nearest: likeness.nearest) { known[$0] }
    let ranked = ranking.rank(candidates, limit: limit, legs: legs)
    guard let minimumScore else { return ranked }
    return ranked.filter { $0.shares.total >= minimumScore }
  }

  private var legs: Ranking.Legs {
    request.vector == nil ? .words : request.terms == nil ? .vector : .both
  }

  private func words(
    also nearest: [Int64], in snapshot: any PrimarySnapshot, _ isBrief: Bool, _ behind: () -> Bool
  ) throws(MemoryError) -> [Candidates.Words]? {
    guard request.terms != nil else { return [] }
    if index.isAvailable {
      switch try index.words(request, also: nearest, in: snapshot, catchesUp: !isBrief) {
      case .found(let words): return words
      case .ahead, .behind: return nil
      case .silent: guard behind() else { return nil }
      }
    }
    return try snapshot.words(request)
  }

  private func likeness(
    in snapshot: any PrimarySnapshot, _ isBrief: Bool, _ behind: () -> Bool
  ) throws(MemoryError) -> Likeness? {
    guard let components = request.vector else { return Likeness() }
    var spaces = try snapshot.spaces()
    // Only what the question may see decides where its vector belongs (I8). Where there is one space that fits, that is
    // so whether or not the question may see it: what it may not see, it does not find.
    if request.space == nil, spaces.count != 1 || spaces.first?.dimensions != components.count {
      guard behind() else { return nil }
      spaces = try snapshot.spaces(request.scope, request.filter)
    }
    guard let space = try EmbeddingSpace.resolve(request.space, dimensions: components.count, among: spaces) else {
      return Likeness()
    }
    let vector: Vector
    do { vector = try Vector(components) } catch { throw MemoryError(.invalid, "vector: \(error)", cause: error) }
    let query = VectorQuery(vector, metric: space.metric)
    if index.isAvailable {
      switch try index.neighbors(query, in: space, request, in: snapshot, catchesUp: !isBrief) {
      case .found(let neighbors): return Likeness(neighbors, query, space)
      case .ahead, .behind: return nil
      case .silent: guard behind() else { return nil }
      }
    }
    return try Likeness(everyVectorIn: snapshot, query, space, request)
  }
}
