/// What the primary is asked to find for a query.
public struct RecallRequest: Sendable {
  /// `nil`: no text leg.
  public let terms: SearchTerms?
  /// `nil`: no vector leg.
  public let vector: [Float]?
  /// The space that the query names; see `EmbeddingSpace.resolve`.
  public let space: EmbeddingSpace?
  public let scope: Scope
  /// With its statuses named.
  public let filter: Episode.Filter
  /// Candidates of each leg.
  public let depth: Int
  /// Step scores kept of each episode.
  public let stepsPerEpisode: Int
  /// Whether hits quote the texts that matched.
  public let excerpts: Bool
}

/// What the primary found: each leg's best candidates within scope and filter, in no order.
public struct Candidates: Sendable {
  public struct Words: Sendable {
    /// Stable row of the episode.
    public let row: Int64
    /// bm25 of the context, higher is better; 0 where it does not match.
    public var context: Double
    /// bm25 of its best steps, best first.
    public var steps: [(number: Int, score: Double)]

    public init(row: Int64, context: Double = 0, steps: [(number: Int, score: Double)] = []) {
      self.row = row
      self.context = context
      self.steps = steps
    }
  }

  /// Every episode of which a word matched.
  public var words: [Words]
  /// Rows of the nearest episodes, best first.
  public var nearest: [Int64]
  /// Likeness of the best vector of an episode; `nil` for an episode without a vector in the space.
  public var similarity: @Sendable (_ row: Int64) -> Double?

  public init(words: [Words], nearest: [Int64], similarity: @escaping @Sendable (Int64) -> Double?) {
    self.words = words
    self.nearest = nearest
    self.similarity = similarity
  }
}

/// An episode in its place among the answers.
public struct RankedEpisode: Sendable {
  public let row: Int64
  public let shares: Hit.Shares
  /// Whether words of the context matched.
  public let contextMatches: Bool
  /// Numbers of the steps that matched best, best first.
  public let steps: [Int]
}
