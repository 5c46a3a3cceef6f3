extension Query {
  /// How the signals become one score of 0...1.
  ///
  /// The best episodes by words, the nearest by vector, those of a time that the question names, and the episodes before and
  /// after each of them in its session are compared:
  ///
  /// 1. *Words*: bm25 of the context, plus a share of the bm25 of the best steps, each counting half of the one before, plus a
  ///    share of the bm25 of all steps as one text. The sum is divided by the information of the question: 1 is an episode
  ///    in whose context, of average length, each word of the question stands once. A division by the best episode
  ///    instead would rank no better, and would say nothing about how good the best is.
  /// 2. *Vectors*: the similarity, as it is. Words and vectors are combined convexly (Bruch, Gai and Ingber, TOIS 2023, on why
  ///    not ranks); an episode without a vector is scored by its words alone.
  /// 3. *Sessions*: a part of the scores of the episodes before and after, and a part of the best score of the session.
  /// 4. *Time*: a part of the best score if the episode was created in a time that the question names. Never a filter.
  /// 5. *Success*: a small part of the best score, in proportion to the success rate. It decides among attempts that the other
  ///    signals hold for equal.
  ///
  /// 6. *Trust*: an episode that is not trusted comes after all that are, with a score below theirs.
  ///
  /// The more similar of equal scores comes first, then the newest. A weight of 0 switches a signal off; it then costs nothing.
  ///
  /// The defaults need no tuning for a store; `bench recall` measures them, and each signal switched off in turn.
  public struct Ranking: Hashable, Sendable {
    /// Weight of the best step's bm25 against the context's, each further step counting half; 0 or more. With
    /// `stepsTogetherWeight` it decides which episodes are compared.
    public var stepWeight: Double
    /// Steps that count, at most.
    public var stepsPerEpisode: Int
    /// Weight of the bm25 of all steps of an episode as one text; 0 or more. Half for the best steps and half for all steps
    /// finds runs whose task only the steps tell better than either.
    public var stepsTogetherWeight: Double
    /// Share of the vector leg in a hybrid score, 0...1. From 0.5 to 0.6 the figures are the same within 0.002.
    public var vectorWeight: Double
    /// Part of the score of the episode before and of the one after in the session; 0 or more. The one beyond gives half as
    /// much, and so on.
    public var neighborWeight: Double
    /// Episodes on each side that give a part, 0...10. Two instead of one: R@10 of single utterances from 0.65 to 0.70.
    public var neighborReach: Int
    /// Part of the score of the best episode of its session; 0 or more. With the neighbors it moves R@10 of dialogues from
    /// 0.73 to 0.83 by words and from 0.95 to 0.97 with vectors, and nothing if episodes have no sessions.
    public var sessionWeight: Double
    /// Part of the best score for an episode of a time that the question names; 0 or more. R@10 of dialogues from 0.77 to 0.82
    /// by words.
    public var timeWeight: Double
    /// Part of the best score for an episode that succeeded; 0 or more. More than 0.03 lowers sets in which most runs failed.
    public var successWeight: Double
    /// Whether trusted and verified episodes come before all others, however well these match.
    public var trustedFirst: Bool
    /// Episodes of each leg that are compared, at least `Query.limit`.
    public var depth: Int

    /// The defaults need no tuning for a store.
    public init(
      stepWeight: Double = 0.15, stepsPerEpisode: Int = 4, stepsTogetherWeight: Double = 0.15,
      vectorWeight: Double = 0.55, neighborWeight: Double = 0.15, neighborReach: Int = 2, sessionWeight: Double = 0.4,
      timeWeight: Double = 0.4, successWeight: Double = 0.02, trustedFirst: Bool = true, depth: Int = 50
    ) {
      self.trustedFirst = trustedFirst
      self.stepWeight = stepWeight
      self.stepsPerEpisode = stepsPerEpisode
      self.stepsTogetherWeight = stepsTogetherWeight
      self.vectorWeight = vectorWeight
      self.neighborWeight = neighborWeight
      self.neighborReach = neighborReach
      self.sessionWeight = sessionWeight
      self.timeWeight = timeWeight
      self.successWeight = successWeight
      self.depth = depth
    }

    /// Weight of the best step in the search for the episodes to compare, which does not know all steps as one text.
    var searchedStepWeight: Double { stepWeight + stepsTogetherWeight }

    /// Whether the order of the candidates may differ from that in which they are found.
    var reordersCandidates: Bool { stepsTogetherWeight > 0 || usesSessions || timeWeight > 0 || successWeight > 0 }

    /// Whether the episodes before and after the candidates are compared, too.
    var usesSessions: Bool { neighborWeight > 0 || sessionWeight > 0 }

    /// Episodes on each side of a candidate that are compared, too.
    var comparedNeighbors: Int { usesSessions ? max(1, neighborReach) : 0 }
  }
}
