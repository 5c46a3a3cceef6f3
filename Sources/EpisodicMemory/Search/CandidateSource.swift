/// What ranking asks of a store, about one request and in one snapshot: the index answers if it can, else the primary, and
/// both give the same doubles bit for bit.
///
/// Everything is found on the first call that needs it and kept. Rows are those of episodes; ones that are not in the corpus
/// of the request (see `WordStatistics`) are left out of every answer.
package protocol CandidateSource {
  func wordStatistics() throws(MemoryError) -> WordStatistics

  /// The best `request.depth` episodes within scope and filter by their words, best first, of equal ones the last recorded;
  /// none if the request has no words. Their steps are not counted together.
  ///
  /// - Parameter window: Only those created then; `nil`: at any time.
  func wordCandidates(in window: Range<Timestamp>?) throws(MemoryError) -> [Candidates.Words]

  /// The same scores of given episodes that match, whether or not they pass the filter, in no order, with the words of all their
  /// steps counted together.
  func words(of rows: [Int64]) throws(MemoryError) -> [Candidates.Words]

  /// The best `request.depth` episodes within scope and filter by their best vector, best first, of equal ones the last
  /// recorded. Similarities are exact; the set is exact for the primary and for small scopes, else its recall is .99 and more.
  ///
  /// - Parameter window: Only those created then; `nil`: at any time.
  func nearest(to query: SpaceQuery, in window: Range<Timestamp>?) throws(MemoryError) -> [Neighbor]

  /// The newest `request.depth` episodes within scope and filter of those created in a time, newest first, of equal times the
  /// last recorded.
  func newest(in window: Range<Timestamp>) throws(MemoryError) -> [Int64]

  /// Those of some spaces of the store in which a vector of an episode of the corpus is. Only these may decide which space a
  /// query means (I8); the filter decides nothing.
  func spaces(among spaces: [EmbeddingSpace]) throws(MemoryError) -> [EmbeddingSpace]

  /// The exact similarity of the best vector of given episodes; none for an episode without a vector in the space.
  func similarities(of rows: [Int64], to query: SpaceQuery) throws(MemoryError) -> [Int64: Double]

  /// None for an episode without a session.
  func sessionPlaces(of rows: [Int64]) throws(MemoryError) -> [Int64: SessionPlace]

  func attributes(of rows: [Int64]) throws(MemoryError) -> [Int64: CandidateAttributes]
}

/// Where an episode stands among those of its session in the corpus, by time of creation, then row. A session belongs to one
/// domain.
package struct SessionPlace: Hashable, Sendable {
  /// Equal for the episodes of one session, and only within one source.
  package let session: UInt32
  /// Rows of the episodes before and after it.
  package let previous: Int64?
  package let next: Int64?

  package init(session: UInt32, previous: Int64?, next: Int64?) {
    self.session = session
    self.previous = previous
    self.next = next
  }
}

/// Fields of an episode that ranking uses.
package struct CandidateAttributes: Hashable, Sendable {
  package let status: Episode.Status
  package let trust: Trust
  package let createdAt: Timestamp
  package let successRate: Double?
  /// Whether it passes the filter.
  package var passes: Bool

  package init(status: Episode.Status, trust: Trust, createdAt: Timestamp, successRate: Double?, passes: Bool) {
    self.trust = trust
    self.status = status
    self.createdAt = createdAt
    self.successRate = successRate
    self.passes = passes
  }
}
