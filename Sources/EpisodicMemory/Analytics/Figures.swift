extension Analytics {
  /// What is counted of some episodes.
  public struct Figures: Hashable, Sendable, Codable {
    /// Episodes by status.
    public let episodes: Episodes
    /// How many ended well; `nil` if none has ended.
    public let success: SuccessRate?
    /// Steps of the episodes.
    public let steps: Int
    /// Steps among them that failed.
    public let failedSteps: Int
    /// Steps per episode; `nil` if there is no episode.
    public let stepsPerEpisode: Quantiles?
    /// Milliseconds per step, of the steps whose time is known; `nil` if there is none.
    public let stepTime: Quantiles?

    enum CodingKeys: String, CodingKey {
      case episodes, success, steps, failedSteps = "failed_steps", stepsPerEpisode = "steps_per_episode"
      case stepTime = "step_time_ms"
    }
  }

  /// Episodes by where they stand now.
  public struct Episodes: Hashable, Sendable, Codable {
    /// Running.
    public var active = 0
    /// Ended well.
    public var completed = 0
    /// Ended otherwise.
    public var failed = 0
    /// Put aside.
    public var archived = 0

    /// All of them.
    public var total: Int { active + completed + failed + archived }

    mutating func add(_ status: Episode.Status) {
      switch status {
      case .active: active += 1
      case .completed: completed += 1
      case .failed: failed += 1
      case .archived: archived += 1
      }
    }

    mutating func add(_ other: Episodes) {
      active += other.active
      completed += other.completed
      failed += other.failed
      archived += other.archived
    }
  }

  /// The share of the ended episodes that ended well, and where it lies with 95 % confidence.
  ///
  /// Completed episodes ended well and failed ones did not; an archived one counts by its success rate, well from 0.5 on, and not
  /// at all without one.
  public struct SuccessRate: Hashable, Sendable, Codable {
    /// Episodes that ended well.
    public let successes: Int
    /// Episodes that ended.
    public let count: Int
    /// `successes / count`.
    public let rate: Double
    /// The bounds of Wilson's score interval: Wilson, JASA 22 (1927).
    public let low, high: Double

    /// - Returns: `nil` for a count of 0.
    init?(successes: Int, of count: Int) {
      guard count > 0 else { return nil }
      let (n, z) = (Double(count), 1.959_963_984_540_054)
      let rate = Double(successes) / n
      let scale = 1 + z * z / n
      let centre = (rate + z * z / (2 * n)) / scale
      let margin = z / scale * (rate * (1 - rate) / n + z * z / (4 * n * n)).squareRoot()
      (self.successes, self.count, self.rate) = (successes, count, rate)
      low = max(0, centre - margin)
      high = min(1, centre + margin)
    }
  }

  /// Exact quantiles of whole numbers: of `n` values in order the one at rank `⌈q · n⌉`.
  public struct Quantiles: Hashable, Sendable, Codable {
    /// How many values there are.
    public let count: Int
    /// Half of the values are at most this.
    public let median: Int64
    /// 95 % of the values are at most this.
    public let p95: Int64
    /// The sum of the values, at most `Int64.max`.
    public let sum: Int64
  }
}

/// Counts whole numbers from 0 on, so that their quantiles are exact.
///
/// Memory is bounded by the number of distinct values: 4 bytes for each up to the largest below 16,384, some 40 for another.
struct Histogram {
  private static let dense: Int64 = 16_384

  private(set) var count = 0
  /// By value.
  private var small: [UInt32] = []
  private var large: [Int64: Int] = [:]

  mutating func add(_ value: Int64) {
    count += 1
    guard value >= 0, value < Self.dense else {
      large[value, default: 0] += 1
      return
    }
    let index = Int(value)
    if index >= small.count {
      small += repeatElement(0, count: max(index + 1, min(2 * small.count, Int(Self.dense))) - small.count)
    }
    small[index] &+= 1
  }

  mutating func add(_ other: Histogram) {
    count += other.count
    if other.small.count > small.count { small += repeatElement(0, count: other.small.count - small.count) }
    for (value, times) in other.small.enumerated() where times > 0 { small[value] &+= times }
    large.merge(other.large) { $0 + $1 }
  }

  /// `nil` if nothing was counted.
  var quantiles: Analytics.Quantiles? {
    guard count > 0 else { return nil }
    // Ranks from 1: ⌈n / 2⌉, and ⌈0.95 n⌉ in whole numbers.
    let ranks = [(count + 1) / 2, count - count / 20]
    var values: [Int64] = []
    var seen = 0
    var sum: Int64 = 0
    func visit(_ value: Int64, _ times: Int) {
      seen += times
      sum = sum.addingClamped(value.multipliedClamped(by: Int64(times)))
      while values.count < ranks.count, seen >= ranks[values.count] { values.append(value) }
    }
    let sorted = large.sorted { $0.key < $1.key }
    for (value, times) in sorted where value < 0 { visit(value, times) }
    for (value, times) in small.enumerated() where times > 0 { visit(Int64(value), Int(times)) }
    for (value, times) in sorted where value >= 0 { visit(value, times) }
    return values.count == 2 ? Analytics.Quantiles(count: count, median: values[0], p95: values[1], sum: sum) : nil
  }
}

/// Figures while they are counted.
struct FigureCounts {
  private(set) var episodes = Analytics.Episodes()
  private var ended = 0
  private var successes = 0
  private var steps = 0
  private var failedSteps = 0
  private var stepsPerEpisode = Histogram()
  private var stepTime = Histogram()

  /// - Parameter isSuccess: `nil` if that is not known.
  mutating func addEpisode(_ status: Episode.Status, isSuccess: Bool?) {
    episodes.add(status)
    guard let isSuccess else { return }
    ended += 1
    if isSuccess { successes += 1 }
  }

  mutating func addStep(milliseconds: Int64?, success: Bool?) {
    steps += 1
    if success == false { failedSteps += 1 }
    if let milliseconds { stepTime.add(milliseconds) }
  }

  /// - Parameter count: How many steps of one episode were added.
  mutating func addSteps(perEpisode count: Int) { stepsPerEpisode.add(Int64(count)) }

  mutating func add(_ other: FigureCounts) {
    episodes.add(other.episodes)
    ended += other.ended
    successes += other.successes
    steps += other.steps
    failedSteps += other.failedSteps
    stepsPerEpisode.add(other.stepsPerEpisode)
    stepTime.add(other.stepTime)
  }

  var figures: Analytics.Figures {
    Analytics.Figures(
      episodes: episodes, success: Analytics.SuccessRate(successes: successes, of: ended), steps: steps,
      failedSteps: failedSteps, stepsPerEpisode: stepsPerEpisode.quantiles, stepTime: stepTime.quantiles)
  }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }

  /// - Parameter factor: 0 or more.
  fileprivate func multipliedClamped(by factor: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? (self < 0 ? .min : .max) : product
  }
}
