/// Compares runs with a pattern to the other runs of the same task that were still going at the same step, given how many of
/// them succeeded: what is left of an effect without the ease of the task.
///
/// Conditional logistic regression, as a score test; the odds of each run are those of its agent at the step.
struct WithinTasks {
  /// Standard deviations by which more, or fewer, succeeded than their tasks let expect.
  private(set) var z = 0.0
  /// What `z` would be on average if the effect were as large inside tasks as it is over all.
  private(set) var expected = 0.0
  /// Share of the occurrences that have another run to compare with.
  private(set) var comparable = 0.0

  /// - Parameters:
  ///   - cells: At which a pattern ended.
  ///   - effect: Log odds over all.
  ///   - runsOfTask: Of every task.
  init(_ table: CellTable, _ cells: some Collection<Int32>, effect: Double, runsOfTask: [[Int]]) {
    var places: [Place: [Int]] = [:]
    for cell in cells {
      let run = Int(table.runOfCell[Int(cell)])
      places[Place(task: table.taskOfRun[run], step: table.step(of: cell)), default: []].append(run)
    }
    var (sum, variance, compared) = (0.0, 0.0, 0)
    for (place, with) in places.sorted(by: { $0.key < $1.key }) {
      let going = runsOfTask[place.task].filter { table.runs[$0].usableSteps > place.step }
      guard going.count > with.count else { continue }
      compared += with.count
      let successes = going.count { table.runs[$0].succeeded }
      guard successes > 0, successes < going.count else { continue }
      // Beyond these few the symmetric polynomials cost more than they say.
      let sample =
        going.count <= Self.longest ? going : Array(going.filter(with.contains) + going).prefixOfDistinct(Self.longest)
      let total = sample.count { table.runs[$0].succeeded }
      guard total > 0, total < sample.count else { continue }
      let odds = sample.map { run in
        let expected = min(0.995, max(0.005, table.groups[table.groupOfRun[run]].expected[place.step]))
        return expected / (1 - expected)
      }
      let all = Self.symmetricPolynomial(odds, total)
      for (index, run) in sample.enumerated() where with.contains(run) {
        let others = Array(odds[..<index] + odds[(index + 1)...])
        let probability = odds[index] * Self.symmetricPolynomial(others, total - 1) / all
        sum += table.outcome[run] - probability
        variance += probability * (1 - probability)
      }
    }
    if variance > 0 {
      z = sum / variance.squareRoot()
      expected = effect * variance.squareRoot()
    }
    comparable = Double(compared) / Double(max(1, cells.count))
  }

  private static let longest = 64

  private struct Place: Hashable, Comparable {
    var task: Int
    var step: Int

    static func < (a: Self, b: Self) -> Bool { a.task != b.task ? a.task < b.task : a.step < b.step }
  }

  /// The sum over all subsets of `size` elements of their products.
  private static func symmetricPolynomial(_ values: [Double], _ size: Int) -> Double {
    var sums = [1.0] + Array(repeating: 0, count: size)
    for value in values {
      for index in stride(from: size, to: 0, by: -1) { sums[index] += value * sums[index - 1] }
    }
    return sums[size]
  }
}

extension [Int] {
  fileprivate func prefixOfDistinct(_ count: Int) -> [Int] {
    var seen: Set<Int> = []
    return Array(filter { seen.insert($0).inserted }.prefix(count))
  }
}
