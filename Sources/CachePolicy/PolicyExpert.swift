/// One setting of the policy: the window's share of the capacity, and what admits an entry to the main area.
struct PolicyExpert: Sendable {
  enum Admission: Sendable {
    /// Referenced in the window, or requested more often than the victim.
    case referenced
    /// Requested at least two times more than the victim: a loop longer than the cache keeps part of itself.
    case ahead
    /// Requested more than twice as often as the victim.
    case twice
  }

  let windowShare: Double
  let admission: Admission
  /// Whether a recently evicted key enters the main area when it is filled again.
  let remembersEvicted: Bool

  /// The initial setting first, then from the most protective to a plain FIFO. Chosen over families of synthetic traces, not
  /// over one workload.
  static let all = [
    PolicyExpert(windowShare: 0.1, admission: .referenced, remembersEvicted: true),
    PolicyExpert(windowShare: 0.02, admission: .ahead, remembersEvicted: false),
    PolicyExpert(windowShare: 0.1, admission: .ahead, remembersEvicted: false),
    PolicyExpert(windowShare: 0.02, admission: .twice, remembersEvicted: true),
    PolicyExpert(windowShare: 0.4, admission: .referenced, remembersEvicted: true),
    PolicyExpert(windowShare: 0.7, admission: .referenced, remembersEvicted: true),
    PolicyExpert(windowShare: 1, admission: .referenced, remembersEvicted: false),
  ]

  /// - Parameter candidate: The frequency of the window's oldest entry.
  /// - Parameter victim: The frequency of the entry at the hand of the main area.
  func admits(isReferenced: Bool, candidate: Int, over victim: Int) -> Bool {
    switch admission {
    case .referenced: isReferenced || candidate > victim
    case .ahead: candidate > victim + 1
    case .twice: candidate > 2 * victim
    }
  }
}
