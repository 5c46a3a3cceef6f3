public import struct Foundation.TimeZone

/// What to recall: by words, by a vector, or both.
public struct Query: Hashable, Sendable {
  /// Natural words, never query syntax. An episode matches if any of them does; rare words weigh most.
  public var text: String?
  /// Word sequences that must occur as they stand (after stemming), each in the context or in one step.
  public var phrases: [String]
  /// Beginnings of words that must occur.
  public var prefixes: [String]
  /// When the question is asked: what its text says of time, such as "last Tuesday", is relative to this. `nil`: now by the
  /// engine's clock, or the time of the newest episode in the scope if that is more than 30 days old.
  public var askedAt: Timestamp?
  /// Where the days that the text names begin at midnight; UTC by default.
  public var timeZone: TimeZone
  /// The embedding of the query.
  public var vector: [Float]?
  /// The space of `vector`; may be `nil` if the store has one space of that length.
  public var space: EmbeddingSpace?
  /// Which episodes the query may read; there is no default (I8).
  public var scope: Query.Scope
  /// Which episodes of the scope may be hits.
  public var filter: Episode.Filter
  /// 1...1,000.
  public var limit: Int
  /// Episodes that are trusted less are left out; `nil`: quarantined ones are, unless the filter asks for them.
  public var minimumTrust: Trust?
  /// Hits of one named source at most, 1 or more; `nil`: 3 of a source that is not trusted. Of any source at most 3 hits are
  /// near-duplicates of each other.
  public var maximumPerSource: Int?
  /// Hits that score less are left out, 0...1; see `Hit.score`.
  public var minimumScore: Double?
  /// Whether to compare every vector and rank every match without the index: the baseline that its recall is measured by.
  public var isExact: Bool
  /// Whether hits quote the texts that matched, for people to read. Costs about 0.25 ms a text.
  public var excerpts: Bool
  /// How the signals become one score.
  public var ranking: Ranking
  /// Which steps of the episodes to read; what matched is the same whichever are.
  public var steps: StepSelection
  /// Episodes before and after each hit in its session to return with it, 0...10 on each side.
  public var neighbors: Int
  /// How old a cached result may be; `nil`: as new as the last commit. Its episodes are loaded as they are now, without
  /// those that were deleted or have left the scope or the filter. Matches and excerpts are those of the cached result.
  public var maximumStaleness: Duration?

  /// What is left out has its default; the scope has none (I8).
  public init(
    text: String? = nil, phrases: [String] = [], prefixes: [String] = [], vector: [Float]? = nil,
    space: EmbeddingSpace? = nil, scope: Query.Scope, filter: Episode.Filter = .init(), limit: Int = 10,
    minimumScore: Double? = nil, isExact: Bool = false, excerpts: Bool = false, ranking: Ranking = .init(),
    steps: StepSelection = .all, maximumStaleness: Duration? = nil,
    askedAt: Timestamp? = nil, timeZone: TimeZone = .gmt,
    neighbors: Int = 0, minimumTrust: Trust? = nil, maximumPerSource: Int? = nil
  ) {
    self.neighbors = neighbors
    self.minimumTrust = minimumTrust
    self.maximumPerSource = maximumPerSource
    self.askedAt = askedAt
    self.timeZone = timeZone
    self.text = text
    self.phrases = phrases
    self.prefixes = prefixes
    self.vector = vector
    self.space = space
    self.scope = scope
    self.filter = filter
    self.limit = limit
    self.minimumScore = minimumScore
    self.isExact = isExact
    self.excerpts = excerpts
    self.ranking = ranking
    self.steps = steps
    self.maximumStaleness = maximumStaleness
  }
}

extension Query {
  /// Which episodes a call may read: every caller states it, so that nothing leaves its domain by default (I8).
  public enum Scope: Hashable, Sendable {
    /// Episodes of one domain.
    case domain(String)
    /// Episodes of all domains.
    case everything

    func includes(_ domain: String) -> Bool {
      switch self {
      case .domain(let wanted): wanted.canonicallyComposed == domain
      case .everything: true
      }
    }
  }

  /// Whether there is neither a word nor a vector to search by.
  ///
  /// - Throws: `.invalid` for a phrase or a prefix without a word.
  package func isEmpty() throws(MemoryError) -> Bool {
    guard vector == nil else { return false }
    return try SearchTerms(text: text, phrases: phrases, prefixes: prefixes).isEmpty
  }

  /// How far its episodes are trusted; `nil` if none can be.
  var trust: ClosedRange<Trust>? {
    let wanted = filter.trust ?? (minimumTrust ?? .untrusted)...(.verified)
    let least = max(wanted.lowerBound, minimumTrust ?? .quarantined)
    return least <= wanted.upperBound ? least...wanted.upperBound : nil
  }

  /// Those of the filter, or completed and failed.
  var statuses: Set<Episode.Status> { filter.statuses ?? [.completed, .failed] }
}
