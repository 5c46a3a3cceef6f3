/// An element of a ranking.
@usableFromInline package protocol Ranked {
  /// A higher score is better.
  var score: Double { get }

  /// Whether it ranks before `other`: by score, and between equal scores by a rule of its own.
  func precedes(_ other: Self) -> Bool
}

/// An id with its score; of equal scores the smaller id ranks first.
@usableFromInline package struct Scored<ID: Comparable>: Ranked, Equatable {
  @usableFromInline package let id: ID
  @usableFromInline package let score: Double

  @inlinable
  package init(_ id: ID, score: Double) {
    self.id = id
    self.score = score
  }

  @inlinable
  package func precedes(_ other: Self) -> Bool { score > other.score || (score == other.score && id < other.id) }
}

extension Scored: Sendable where ID: Sendable {}
