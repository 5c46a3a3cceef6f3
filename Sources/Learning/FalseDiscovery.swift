#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Which of many standardised scores are beyond chance, by the pooled scores of shuffles.
///
/// The weighted procedure of Genovese, Roeder and Wasserman (Biometrika 2006) at a false discovery rate.
struct FalseDiscovery {
  /// Absolute values, largest first.
  private let pool: [Double]
  private let weights: [Double]
  private let level: Double

  /// - Parameters:
  ///   - null: Of each shuffle, the standardised score of each hypothesis.
  ///   - effects: The standardised score that each hypothesis would have on average with a log odds of 1.
  ///   - priors: How many times as likely each is held to be true, before any outcome is seen.
  init(null: [[Double]], effects: [Double], priors: [Double], level: Double) {
    pool = null.flatMap { $0.map(abs) }.sorted(by: >)
    let weights = zip(Self.weights(effects, level: level), priors).map { $0 * $1 }
    let mean = weights.reduce(0, +) / Double(max(1, weights.count))
    self.weights = weights.map { $0 / mean }
    self.level = level
  }

  /// The share of chance among what is found if this score is and all that are as good.
  func rates(_ scores: [Double]) -> [Double] {
    let ratios = zip(scores, weights).map { score, weight in
      let chance = Double(pool.partitioningIndex { $0 < abs(score) } + 1) / Double(pool.count + 1)
      return weight > 0 ? chance / weight : .greatestFiniteMagnitude
    }
    let order = scores.indices.sorted { ratios[$0] != ratios[$1] ? ratios[$0] < ratios[$1] : $0 < $1 }
    var rates: [Double] = .init(repeating: 1, count: scores.count)
    var smallest = 1.0
    for rank in order.indices.reversed() {
      smallest = min(smallest, ratios[order[rank]] * Double(scores.count) / Double(rank + 1))
      rates[order[rank]] = smallest
    }
    return rates
  }

  /// Weights of p values, 1 on average, that find most effects of a log odds of 1 (Roeder and Wasserman, Statistical Science
  /// 2009): they spend little on patterns too thin to show one, and little on those that show it anyway. They are decided by how
  /// often patterns occur, not by outcomes. A quarter of the budget is spread evenly: the pool knows no smaller p value than one in its
  /// size, which no smaller weight would let pass.
  private static func weights(_ effects: [Double], level: Double) -> [Double] {
    let count = Double(effects.count)
    func weights(_ shift: Double) -> [Double] {
      effects.map { $0 > 0 ? count / level * 0.5 * erfc(($0 / 2 + shift / $0) / 2.0.squareRoot()) : 0 }
    }
    var (low, high) = (-50.0, 50.0)
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if weights(middle).reduce(0, +) > count { low = middle } else { high = middle }
    }
    return weights(high).map { 0.25 + 0.75 * $0 }
  }
}

extension Array {
  /// Of an array whose elements that fulfil a condition come last: where they begin.
  fileprivate func partitioningIndex(where holds: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = low + (high - low) / 2
      if holds(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
