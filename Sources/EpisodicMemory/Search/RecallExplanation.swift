/// How a query came to its hits, and why other episodes are not among them.
///
/// All counts are of the query's scope: nothing outside it shows through (I8).
public struct RecallExplanation: Hashable, Sendable {
  /// A word, a phrase or a prefix of the query.
  public struct Term: Hashable, Sendable {
    /// As it is looked up.
    public var text: String
    /// Contexts that have it.
    public var contexts: Int
    /// Steps that have it.
    public var steps: Int
    /// Its share of the information of the question, 0...1: the rarer, the more. 0 for a word that no text has.
    public var share: Double

    /// A term by its counts.
    public init(text: String, contexts: Int = 0, steps: Int = 0, share: Double = 0) {
      self.text = text
      self.contexts = contexts
      self.steps = steps
      self.share = share
    }
  }

  /// A time that the text names.
  public struct Window: Hashable, Sendable {
    /// The expression: `last Tuesday`.
    public var words: String
    /// Its beginning.
    public var from: Timestamp
    /// The first moment after it.
    public var until: Timestamp

    /// A window with its words.
    public init(words: String, from: Timestamp, until: Timestamp) {
      self.words = words
      self.from = from
      self.until = until
    }
  }

  /// A step that matches.
  public struct StepScore: Hashable, Sendable {
    /// The step's number.
    public var step: Int
    /// Its bm25.
    public var score: Double

    /// A step and its bm25.
    public init(step: Int, score: Double) {
      self.step = step
      self.score = score
    }
  }

  /// What is known of an episode, before weights.
  public struct Signals: Hashable, Sendable {
    /// bm25 of the context; 0 if it does not match.
    public var context = 0.0
    /// The best matching steps, best first.
    public var steps: [StepScore] = []
    /// bm25 of all steps as one text.
    public var together = 0.0
    /// Of its best vector; `nil` without a vector in the query's space, or for a query without one.
    public var similarity: Double?
    /// Whether it was created in a time that the question names.
    public var isInWindow = false
    /// 0...1; of an episode without a rate 1 if it was completed.
    public var success = 0.0

    /// No signal.
    public init() {}
  }

  /// An episode with its score.
  public struct Entry: Hashable, Sendable {
    /// The episode.
    public var id: Episode.ID
    /// Its place among all that were ranked, from 1; `nil` if it was not.
    public var rank: Int?
    /// As `Hit.score`.
    public var score: Double
    /// What each signal adds to the score.
    public var shares: Hit.Shares
    /// What is known of it.
    public var signals: Signals
    /// Terms of the query that it has.
    public var matched: [String]
    /// Terms of the query that it does not have.
    public var missing: [String]

    /// An episode with its score.
    public init(
      id: Episode.ID, rank: Int?, score: Double, shares: Hit.Shares, signals: Signals, matched: [String] = [],
      missing: [String] = []
    ) {
      self.id = id
      self.rank = rank
      self.score = score
      self.shares = shares
      self.signals = signals
      self.matched = matched
      self.missing = missing
    }
  }

  /// Why an episode is not among the hits.
  public enum Reason: Hashable, Sendable {
    /// It is.
    case found
    /// The scope has no such episode.
    case notInScope
    /// The filter leaves it out, by the fields named.
    case filtered([String])
    /// It lacks a phrase or a prefix that the query requires.
    case lacksRequired
    /// No word, vector or time of it matches.
    case noMatch
    /// Others came first in every leg, so that it was not compared: see `Query.Ranking.depth`.
    case beyondDepth
    /// Its score is below `Query.minimumScore`.
    case belowMinimumScore
    /// Others scored more.
    case beyondLimit
  }

  /// What became of an episode that was asked for.
  public struct Fate: Hashable, Sendable {
    /// The episode.
    public var id: Episode.ID
    /// Why it is not among the hits.
    public var reason: Reason
    /// Its score, if it is in the scope.
    public var entry: Entry?

    /// A reason for an episode.
    public init(id: Episode.ID, reason: Reason, entry: Entry? = nil) {
      self.id = id
      self.reason = reason
      self.entry = entry
    }
  }

  /// Terms that count, in the order of the query.
  public var terms: [Term] = []
  /// Words of the query that no text of the scope has.
  public var unknown: [String] = []
  /// Times that the text names.
  public var windows: [Window] = []
  /// The space that the vector was searched in; `nil` without a vector.
  public var space: EmbeddingSpace?
  /// The hits, best first.
  public var hits: [Entry] = []
  /// The episodes that were asked for, in that order.
  public var fates: [Fate] = []

  /// Nothing yet.
  public init() {}
}
