/// Which signals a recall uses.
public enum RecallMode: String, CaseIterable, Sendable {
  /// Words, and the vector where there is one.
  case hybrid
  case text
  case vector
}

/// How to answer a file of queries.
public struct QueriesOptions: Hashable, Sendable {
  public var mode: RecallMode
  /// Hits of each query, 1...1,000.
  public var limit: Int
  /// Whether bad lines are left out and the rest is answered; otherwise one bad line keeps everything from being asked.
  public var keepGoing: Bool

  public init(mode: RecallMode = .hybrid, limit: Int = 10, keepGoing: Bool = false) {
    self.mode = mode
    self.limit = limit
    self.keepGoing = keepGoing
  }
}

/// What came of a file of queries.
public struct QueriesReport: Hashable, Sendable {
  /// Lines of results.
  public internal(set) var answered = 0
  /// Of those, the ones without results because the query has nothing to look for: no word, and no vector.
  public internal(set) var empty: [RejectedLine] = []
  /// In the order of the file; empty unless bad lines were to be left out.
  public internal(set) var rejected: [RejectedLine] = []
}
