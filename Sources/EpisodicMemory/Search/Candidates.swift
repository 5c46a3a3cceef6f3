/// What primary and index are asked to find for a query.
public struct RecallRequest: Sendable {
  /// `nil`: no text leg.
  public let terms: SearchTerms?
  /// `nil`: no vector leg.
  public let vector: [Float]?
  /// The space that the query names; see `EmbeddingSpace.resolve`.
  public let space: EmbeddingSpace?
  public let scope: Query.Scope
  /// With its statuses named.
  public let filter: Episode.Filter
  /// Candidates of each leg.
  public let depth: Int
  /// Step scores kept of each episode.
  public let stepsPerEpisode: Int
  /// Weight of the best step's bm25 against the context's; each further step counts half of the one before.
  public let stepWeight: Double
  /// Whether hits quote the texts that matched.
  public let excerpts: Bool
}

/// What was found: each leg's best candidates within scope and filter, in no order.
public struct Candidates: Sendable {
  public struct Words: Sendable {
    /// Stable row of the episode.
    public let row: Int64
    /// bm25 of the context, higher is better; 0 where it does not match.
    public var context: Double
    /// Rows of its best steps and their bm25, best first.
    public var steps: [(row: Int64, score: Double)]

    public init(row: Int64, context: Double = 0, steps: [(row: Int64, score: Double)] = []) {
      self.row = row
      self.context = context
      self.steps = steps
    }
  }

  /// Episodes of which a word matched: every one, or the best and those among `nearest`.
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
  /// Rows of the steps that matched best, best first.
  public let steps: [Int64]
}
