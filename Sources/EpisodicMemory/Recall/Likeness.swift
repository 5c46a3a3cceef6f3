import Heaps
import Vectors

/// How like the query's vector episodes are, each by the best of its vectors.
struct Likeness {
  /// Rows of the nearest episodes, best first; of equally near ones the last recorded.
  private(set) var nearest: [Int64] = []
  private(set) var byEpisode: [Int64: Double] = [:]
  private var query: VectorQuery?
  private var space: EmbeddingSpace?
  /// Whether every episode that has a vector in the space is in `byEpisode`.
  private var isComplete = true

  /// Of nothing: the store has no vectors, or none that the question may see.
  init() {}

  /// What an index found: the vectors nearest to the query.
  init(_ neighbors: [Neighbor], _ query: VectorQuery, _ space: EmbeddingSpace) {
    self.query = query
    self.space = space
    isComplete = false
    for neighbor in neighbors { take(neighbor.episode, neighbor.similarity) }
    nearest = byEpisode.sorted { ($1.value, $1.key) < ($0.value, $0.key) }.map(\.key)
  }

  /// Compares every vector that passes scope and filter.
  init(
    everyVectorIn snapshot: any PrimarySnapshot, _ query: VectorQuery, _ space: EmbeddingSpace, _ request: RecallRequest
  ) throws(MemoryError) {
    self.query = query
    self.space = space
    var best: [Int64: Double] = [:]
    try snapshot.neighbors(query, in: space, request.scope, request.filter) { _, episode, similarity in
      best[episode] = max(best[episode] ?? -.infinity, similarity)
    }
    for (episode, similarity) in best { take(episode, similarity) }
    var top = TopK<Scored<Int64>>(request.depth)
    // Of equal scores it keeps the smaller: the negated row of what was recorded last.
    for (episode, likeness) in byEpisode { top.insert(Scored(-episode, score: likeness)) }
    nearest = top.ranked().map { -$0.id }
  }

  /// Compares those of the episodes that were not among the nearest: scoring an absent one 0 would make ties decide.
  mutating func complete(_ episodes: [Int64], in snapshot: any PrimarySnapshot) throws(MemoryError) {
    guard !isComplete, let query, let space else { return }
    for episode in episodes where byEpisode[episode] == nil {
      guard let similarity = try snapshot.similarity(ofEpisode: episode, to: query, in: space) else { continue }
      take(episode, similarity)
    }
  }

  /// A distance has no best value to be divided by, so fusion gets what grows with nearness and stays positive.
  private mutating func take(_ episode: Int64, _ similarity: Double) {
    let likeness = space?.metric == .euclidean ? 1 / (1 - similarity) : similarity
    byEpisode[episode] = max(byEpisode[episode] ?? -.infinity, likeness)
  }
}
