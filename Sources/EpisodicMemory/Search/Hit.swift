/// An episode that matches a query, and what matched.
public struct Hit: Hashable, Sendable {
  /// What each signal adds to the score; see `Query.Ranking`.
  public struct Shares: Hashable, Sendable {
    /// Words of the context.
    public var context: Double
    /// Words of the best steps, and of all steps as one text.
    public var steps: Double
    /// Similarity of the vectors.
    public var vector: Double
    /// What others of the session match: the episodes before and after, and the best.
    public var session: Double
    /// The time that the question names.
    public var time: Double
    /// The success rate.
    public var success: Double
    /// Negative: what is taken off because the episode is not trusted, and others of the recall are.
    public var trust: Double

    /// Shares of a score; for doubles in tests.
    public init(
      context: Double = 0, steps: Double = 0, vector: Double = 0, session: Double = 0, time: Double = 0,
      success: Double = 0, trust: Double = 0
    ) {
      self.trust = trust
      self.context = context
      self.steps = steps
      self.vector = vector
      self.session = session
      self.time = time
      self.success = success
    }

    /// The score before it is cut to 1.
    public var total: Double { context + steps + vector + session + time + success + trust }
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
  /// 0...1, higher is better, and of the same meaning in a store of 1 and of 1,000,000 episodes.
  ///
  /// By words, 1 is a context of average length in which each word of the question stands once, or more than that. By a
  /// vector, the score is the cosine, or the dot product (divided by the best if that is more than 1), or 1/(1 + the squared
  /// distance). By both, a full match of the words with a similarity of 1 scores 1. The other signals come on top; the
  /// sum is cut to 1, the order of the hits is that before the cut.
  public let score: Double
  /// What each signal adds to the score, before it is cut to 1.
  public let shares: Shares
  /// The context first if it matched, then the best steps, best first; then the last steps that pass the query's step filter,
  /// last first, as many as steps count (`Query.Ranking.stepsPerEpisode`) and at least one.
  public let matches: [Match]
  /// Near-duplicates of it from the same source that were left out.
  public package(set) var copies = 0
  /// Episodes beside it in its session, if `Query.neighbors` asks for them.
  public package(set) var neighbors = Neighbors()

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
