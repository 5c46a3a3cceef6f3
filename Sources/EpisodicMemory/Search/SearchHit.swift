/// An episode that answers a query, without the episode: what recall is made of.
public struct SearchHit: Hashable, Sendable {
  public let id: Episode.ID
  public let score: Double
  /// What each signal adds to the score.
  public let shares: Hit.Shares
  /// Numbers of the steps that matched best, best first.
  public let steps: [Int]

  public init(id: Episode.ID, score: Double, shares: Hit.Shares, steps: [Int]) {
    self.id = id
    self.score = score
    self.shares = shares
    self.steps = steps
  }
}
