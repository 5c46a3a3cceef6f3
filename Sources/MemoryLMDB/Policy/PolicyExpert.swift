/// One way to run the cache: the share of the window, and what it takes to get from the window into the main area.
struct PolicyExpert: Sendable {
  enum Admission: Sendable {
    /// Referenced in the window, or asked for more often than what would leave instead.
    case referenced
    /// Asked for more often by two: a loop longer than the cache leaves a part of itself in place.
    case ahead
    /// Asked for more than twice as often.
    case twice
  }

  let windowShare: Double
  let admission: Admission
  /// Whether a key that was evicted a short time ago skips the window when it comes back.
  let remembersEvicted: Bool

  /// First the one to begin with; then from the most protective to a plain FIFO. Chosen over families of synthetic
  /// traces, not over one workload.
  static let all = [
    PolicyExpert(windowShare: 0.1, admission: .referenced, remembersEvicted: true),
    PolicyExpert(windowShare: 0.02, admission: .ahead, remembersEvicted: false),
    PolicyExpert(windowShare: 0.1, admission: .ahead, remembersEvicted: false),
    PolicyExpert(windowShare: 0.02, admission: .twice, remembersEvicted: true),
    PolicyExpert(windowShare: 0.4, admission: .referenced, remembersEvicted: true),
    PolicyExpert(windowShare: 0.7, admission: .referenced, remembersEvicted: true),
    PolicyExpert(windowShare: 1, admission: .referenced, remembersEvicted: false),
  ]

  /// - Parameter candidate: The frequency of the window's oldest.
  /// - Parameter victim: That of the entry the hand of the main area points at.
  func admits(isReferenced: Bool, candidate: Int, over victim: Int) -> Bool {
    switch admission {
    case .referenced: isReferenced || candidate > victim
    case .ahead: candidate > victim + 1
    case .twice: candidate > 2 * victim
    }
  }
}
