/// The scores of all hypotheses, as observed and after each shuffle.
struct Scores {
  /// Of the pattern itself, in outcomes.
  private(set) var own: [Double] = []
  /// Its standard deviation over the shuffles.
  private(set) var ownDeviation: [Double] = []
  /// What is tested, in standard deviations.
  private(set) var standardised: [Double] = []
  private(set) var shufflesWithFindings = 0
  /// Of each shuffle, what is tested in standard deviations.
  private let null: [[Double]]
  /// What is tested, in standard deviations, on average with a log odds of 1.
  private let effects: [Double]
  private let ownNull: [[Double]]
  private let priors: [Double]
  private let level: Double

  /// - Returns: `nil` if cancelled.
  init?(
    _ table: CellTable, _ hypotheses: [Hypothesis], _ residuals: [Double], _ options: Learner.Options,
    isCancelled: () -> Bool, progress: (Double) -> Void
  ) {
    let observed = Self.scores(table, hypotheses, residuals)
    var random = SplitMix64(seed: options.seed)
    var shuffle = TaskShuffle(table)
    var shuffled: [Double] = .init(repeating: 0, count: residuals.count)
    var null: [[(own: Double, tested: Double)]] = []
    for number in 0..<options.shuffles {
      if isCancelled() { return nil }
      progress(Double(number) / Double(options.shuffles))
      shuffle.shuffle(residuals, into: &shuffled, &random)
      null.append(Self.scores(table, hypotheses, shuffled))
    }
    func deviations(
      _ rows: [[(own: Double, tested: Double)]], _ score: ((own: Double, tested: Double)) -> Double
    ) -> [Double] {
      hypotheses.indices.map { index in
        (rows.reduce(0) { $0 + score($1[index]) * score($1[index]) } / Double(max(1, rows.count))).squareRoot()
      }
    }
    // The observed scores are one of the ways in which tasks may have got their futures: with them the deviations are the same
    // whichever of the ways was observed.
    let deviation = deviations(null + [observed], \.tested)
    func standardised(_ row: [(own: Double, tested: Double)]) -> [Double] {
      zip(row, deviation).map { $1 > 0 ? $0.tested / $1 : 0 }
    }
    self.null = null.map(standardised)
    effects = zip(hypotheses, deviation).map { $1 > 0 ? $0.information / $1 : 0 }
    priors = hypotheses.map(\.prior)
    level = options.falseDiscoveryRate
    own = observed.map(\.own)
    ownNull = null.map { $0.map(\.own) }
    ownDeviation = deviations(null, \.own)
    self.standardised = standardised(observed)
    let discovery = FalseDiscovery(null: self.null, effects: effects, priors: priors, level: level)
    shufflesWithFindings = self.null.count { row in
      discovery.rates(row).contains { $0 <= options.falseDiscoveryRate }
    }
  }

  /// Of one hypothesis, after each shuffle.
  func ownOfShuffles(_ index: Int) -> [Double] { ownNull.map { $0[index] } }

  /// The share of chance among what is found if a hypothesis is, of some that are tested together.
  func rates(_ tested: [Int]) -> [Double] {
    FalseDiscovery(
      null: null.map { row in tested.map { row[$0] } }, effects: tested.map { effects[$0] },
      priors: tested.map { priors[$0] }, level: level
    ).rates(tested.map { standardised[$0] })
  }

  private static func scores(
    _ table: CellTable, _ hypotheses: [Hypothesis], _ residuals: [Double]
  ) -> [(own: Double, tested: Double)] {
    let sums = table.patterns.map { pattern in
      var sum = 0.0
      for index in pattern.occurrences { sum += residuals[Int(table.cells[index])] }
      return sum
    }
    return hypotheses.map { $0.scores(sums) }
  }
}
