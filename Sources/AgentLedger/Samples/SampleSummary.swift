import StoreValues

/// Sums samples up as they are read.
struct SampleSummary {
  private var count = 0
  private var sum = 0.0
  private var minimum = Double.infinity
  private var maximum = -Double.infinity
  /// Only for percentiles.
  private var values: [Double] = []
  private let shares: [Double]

  /// - Parameter shares: Of the percentiles, 0...1.
  init(percentiles shares: [Double]) { self.shares = shares }

  mutating func add(_ value: Double) {
    count += 1
    sum += value
    minimum = min(minimum, value)
    maximum = max(maximum, value)
    if !shares.isEmpty { values.append(value) }
  }

  consuming func summary(from start: Timestamp, to end: Timestamp) -> Ledger.Sample.Summary {
    values.sort()
    return Ledger.Sample.Summary(
      start: start, end: end, count: count, sum: sum, minimum: count == 0 ? nil : minimum,
      maximum: count == 0 ? nil : maximum, percentiles: shares.compactMap(percentile))
  }

  private func percentile(_ share: Double) -> Ledger.Sample.Percentile? {
    guard !values.isEmpty else { return nil }
    let rank = Int((share * Double(values.count)).rounded(.up))
    return .init(share: share, value: values[min(max(rank, 1), values.count) - 1])
  }
}
