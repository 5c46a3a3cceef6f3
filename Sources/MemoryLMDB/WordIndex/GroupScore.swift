import Heaps

/// A group that matches, and why.
struct GroupScore: Ranked, Hashable, Sendable {
  struct Step: Hashable, Sendable {
    var member: UInt64
    /// bm25 among the steps, unweighted.
    var score: Double
  }

  var group: UInt64
  /// bm25 among the contexts; 0 if the context does not match.
  var context: Double
  /// The best matching steps, best first, equal ones by member.
  var steps: [Step]
  /// The context's score and the weighted steps'.
  var total: Double

  init(group: UInt64, context: Double, steps: [Step], stepWeight: Double) {
    self.group = group
    self.context = context
    self.steps = steps
    var sum = 0.0
    var weight = stepWeight
    for step in steps {
      sum += weight * step.score
      weight /= 2
    }
    total = context + sum
  }

  var score: Double { total }

  func precedes(_ other: GroupScore) -> Bool {
    total != other.total ? total > other.total : group < other.group
  }
}
