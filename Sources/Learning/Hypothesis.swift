/// What is tested of a pattern: that its action goes with another outcome than what else was done in its situation; and of one
/// with a narrower situation that it does so in another measure than in the wider one, so that it is no thin copy.
struct Hypothesis {
  let pattern: Int
  /// Change of the tested score by a log odds of 1.
  let information: Double
  /// The same for the pattern's own score.
  let ownInformation: Double
  /// How many times as likely as others it is held to be true: after a failed step, where what to do next is open, twice.
  let prior: Double
  private let own: Part
  private let wider: Part?

  /// A pattern as part of its situation.
  private struct Part {
    let pattern: Int
    let weight: Double
    let share: Double
    let patterns: Range<Int>

    init(_ table: CellTable, _ pattern: Int) {
      self.pattern = pattern
      weight = table.patterns[pattern].weight
      guard let situation = table.patterns[pattern].situation.map({ table.situations[$0] }) else {
        (share, patterns) = (0, 0..<0)
        return
      }
      share = situation.weight > 0 ? weight / situation.weight : 0
      patterns = situation.patterns
    }

    func score(_ sums: [Double]) -> Double { sums[pattern] - share * sums[patterns].reduce(0, +) }
  }

  private init(_ table: CellTable, _ pattern: Int, wider: Int?) {
    self.pattern = pattern
    let own = Part(table, pattern)
    let wider = wider.map { Part(table, $0) }
    let share = wider.map { $0.weight > 0 ? own.weight / $0.weight : 1 } ?? 0
    (self.own, self.wider) = (own, wider)
    ownInformation = own.weight * (1 - own.share)
    information = ownInformation * (1 - share)
    prior = table.key(of: pattern).kind == .resolution ? 2 : 1
  }

  /// - Parameter sums: Of the residuals of each pattern.
  /// - Returns: The residuals that are the pattern's own, beside what else was done in its situation; and what of it is tested.
  func scores(_ sums: [Double]) -> (own: Double, tested: Double) {
    let score = own.score(sums)
    guard let wider, wider.weight > 0 else { return (score, score) }
    return (score, score - own.weight / wider.weight * wider.score(sums))
  }

  /// Those for which enough runs and tasks speak, and against which enough do.
  static func all(_ table: CellTable, runs: Int, tasks: Int) -> [Hypothesis] {
    let numbers = Dictionary(uniqueKeysWithValues: zip(table.patterns.map(\.key), 0...))
    return table.patterns.indices.compactMap { pattern in
      let count = table.patterns[pattern].occurrences.count
      guard count >= runs, table.patterns[pattern].weight > 0, !table.isRare(pattern) else { return nil }
      if let all = table.occurrences(inSituationOf: pattern), all.count - count < runs { return nil }
      guard table.taskCount(of: pattern) >= tasks else { return nil }
      let wider = table.patterns[pattern].key.wider.flatMap { numbers[$0] }
      if let wider, table.patterns[wider].occurrences.count - count < runs { return nil }
      return Hypothesis(table, pattern, wider: wider)
    }
  }
}
