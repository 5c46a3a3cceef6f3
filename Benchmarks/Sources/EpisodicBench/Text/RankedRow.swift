/// A document and how well it matches, higher is better.
struct RankedRow {
  let number: Int
  let score: Double
}

extension [RankedRow] {
  /// Scores of the same sums in another order differ by less.
  private static var tolerance: Double { 1e-9 }

  /// Whether two answers, best first, say the same: equal scores in every place, and the same documents but for those
  /// that tie with one another or with what came after the last.
  func agrees(with other: [RankedRow]) -> Bool {
    guard count == other.count, zip(self, other).allSatisfy({ Self.isTie($0.score, $1.score) }) else { return false }
    guard let last = last?.score else { return true }
    let scores = Dictionary(other.map { ($0.number, $0.score) }) { first, _ in first }
    return Set(map(\.number)).count == count
      && allSatisfy { row in scores[row.number].map { Self.isTie($0, row.score) } ?? Self.isTie(row.score, last) }
  }

  private static func isTie(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= tolerance }
}
