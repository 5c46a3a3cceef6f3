/// An episode that matches a query, and what matched.
public struct Hit: Hashable, Sendable {
  /// What one signal adds to the score; together they are the score.
  public struct Shares: Hashable, Sendable {
    /// Words of the context.
    public var context: Double
    /// Words of the steps.
    public var steps: Double
    /// Similarity of the vectors.
    public var vector: Double

    /// Shares of a score; for doubles in tests.
    public init(context: Double = 0, steps: Double = 0, vector: Double = 0) {
      self.context = context
      self.steps = steps
      self.vector = vector
    }

    /// The score.
    public var total: Double { context + steps + vector }
  }

  /// A text that matched.
  public struct Match: Hashable, Sendable {
    /// The step; `nil` for the context.
    public let step: Int?
    /// The matching words, between `‹` and `›`, with the text around them; `nil` unless `Query.excerpts`.
    public let excerpt: String?

    /// A match; for doubles in tests.
    public init(step: Int?, excerpt: String? = nil) {
      self.step = step
      self.excerpt = excerpt
    }
  }

  /// The episode.
  public let episode: Episode
  /// Higher is better; comparable only with the hits of the same query.
  public let score: Double
  /// What each signal adds to the score.
  public let shares: Shares
  /// The context first if it matched, then the best steps, best first; then the last steps that pass the query's step filter,
  /// last first, as many as steps count (`Query.Ranking.stepsPerEpisode`) and at least one.
  public let matches: [Match]

  /// A value as a store returns it; for doubles in tests.
  public init(episode: Episode, score: Double, shares: Shares, matches: [Match]) {
    self.episode = episode
    self.score = score
    self.shares = shares
    self.matches = matches
  }
}

/// An episode that matches a query, by id.
public struct SearchHit: Hashable, Sendable {
  /// The episode.
  public let id: Episode.ID
  /// As `Hit.score`.
  public let score: Double
  /// What each signal adds to the score.
  public let shares: Hit.Shares
  /// Numbers of the best matching steps, best first.
  public let steps: [Int]

  package init(id: Episode.ID, score: Double, shares: Hit.Shares, steps: [Int]) {
    self.id = id
    self.score = score
    self.shares = shares
    self.steps = steps
  }
}
