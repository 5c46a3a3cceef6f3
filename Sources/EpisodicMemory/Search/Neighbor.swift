import Heaps
package import Vectors

/// A query's vector prepared for comparison, and the space that it belongs to (I6).
package struct SpaceQuery: Sendable {
  package let vector: VectorQuery
  package let space: EmbeddingSpace

  package init(_ vector: VectorQuery, in space: EmbeddingSpace) {
    self.vector = vector
    self.space = space
  }
}

/// A vector and its similarity to a query.
package struct Neighbor: Hashable, Sendable {
  /// Row of the embedding.
  package let vector: Int64
  /// Row of its episode.
  package let episode: Int64
  /// Exact, by the metric of the query's space; see `VectorQuery.similarity`.
  package let similarity: Double

  package init(vector: Int64, episode: Int64, similarity: Double) {
    self.vector = vector
    self.episode = episode
    self.similarity = similarity
  }
}

extension Neighbor {
  /// The best, best first; of equal ones the last recorded.
  ///
  /// - Parameter neighbors: Each of another episode.
  package static func nearest(_ count: Int, of neighbors: some Sequence<Neighbor>) -> [Neighbor] {
    var best = TopK<Neighbor>(count)
    for neighbor in neighbors { best.insert(neighbor) }
    return best.ranked()
  }
}

extension Neighbor: Ranked {
  package var score: Double { similarity }

  package func precedes(_ other: Neighbor) -> Bool {
    similarity != other.similarity ? similarity > other.similarity : episode > other.episode
  }
}
