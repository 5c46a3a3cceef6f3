/// What the graph costs at any recall: measured at some efforts, linear between them.
struct GraphCurve {
  struct Point: Encodable {
    let effort: Double
    let recall: Double
    let p50: Double
    let p99: Double

    enum CodingKeys: String, CodingKey {
      case effort = "ef"
      case recall
      case p50 = "p50_ns"
      case p99 = "p99_ns"
    }
  }

  /// Faster and better than any other at one of the two; recall grows with the median.
  private let front: [Point]

  init(_ points: [Point]) {
    var front: [Point] = []
    for point in points.sorted(by: { ($0.p50, $1.recall) < ($1.p50, $0.recall) })
    where point.recall > front.last?.recall ?? -1 {
      front.append(point)
    }
    self.front = front
  }

  /// The greatest recall that was reached.
  var best: Double { front.last?.recall ?? 0 }

  /// The cost at a recall; below the least that was measured, that of the least. `nil` beyond the greatest.
  func point(at recall: Double) -> Point? {
    guard let above = front.firstIndex(where: { $0.recall >= recall }) else { return nil }
    guard above > 0 else { return front[0] }
    let (low, high) = (front[above - 1], front[above])
    let share = (recall - low.recall) / (high.recall - low.recall)
    func between(_ a: Double, _ b: Double) -> Double { a + share * (b - a) }
    return Point(
      effort: between(low.effort, high.effort), recall: recall, p50: between(low.p50, high.p50),
      p99: between(low.p99, high.p99))
  }
}
