/// Makes learned patterns of hypotheses that were found.
struct PatternBuilder {
  private let table: CellTable
  private let residuals: [Double]
  private let history: Learner.History
  private let options: Learner.Options
  private let runsOfTask: [[Int]]
  /// By their action: the patterns after one step.
  private let patternsOfAction: [Int: [Int]]

  init(table: CellTable, residuals: [Double], history: Learner.History, options: Learner.Options) {
    (self.table, self.residuals, self.history, self.options) = (table, residuals, history, options)
    var runs: [[Int]] = .init(repeating: [], count: table.tasks)
    for (run, task) in table.taskOfRun.enumerated() { runs[task].append(run) }
    runsOfTask = runs
    patternsOfAction = Dictionary(
      grouping: table.patterns.indices.filter { table.patterns[$0].key.form == .afterStep },
      by: { table.patterns[$0].key.then })
  }

  /// Standard deviations by which an effect must show inside tasks: one in forty symptoms does by chance.
  static let certain = 1.96
  /// The same for the last tasks, to contest or to establish it.
  static let likely = 1.28

  /// `nil` if the direction is not the same whatever it is compared to.
  func pattern(_ hypothesis: Hypothesis, _ scores: Scores, _ index: Int, rate: Double) -> LearnedPattern? {
    let cells = table.cells(of: hypothesis.pattern)
    let evidence = Self.evidence(of: cells, table)
    let own = scores.own[index]
    let direction: LearnedPattern.Direction = own > 0 ? .prefer : .avoid
    guard evidence.agrees(with: direction), (scores.standardised[index] > 0) == (own > 0),
      scores.ownDeviation[index] > 0,
      abs(own) / scores.ownDeviation[index] >= Self.certain
    else { return nil }
    let sign: Double = own > 0 ? 1 : -1
    let within = WithinTasks(table, cells, effect: own / hypothesis.ownInformation, runsOfTask: runsOfTask)
    let isSymptom = !survives(within, sign) || isSymptomElsewhere(hypothesis.pattern, sign)
    let key = table.key(of: hypothesis.pattern)
    let runs = cells.map { Int(table.runOfCell[Int($0)]) }
    let grade =
      isSymptom
      ? LearnedPattern.Grade.symptom : grade(cells, sign, since: history[key])
    let effectiveRuns =
      Double(cells.count)
      * min(1, hypothesis.ownInformation / (scores.ownDeviation[index] * scores.ownDeviation[index]))
    let latest = Set(runs).sorted { a, b in
      let (x, y) = (table.runs[a], table.runs[b])
      return x.time != y.time ? x.time > y.time : x.run < y.run
    }
    return LearnedPattern(
      key: key, direction: direction, grade: grade, evidence: evidence, tasks: table.taskCount(of: hypothesis.pattern),
      expectedHere: Double(evidence.observed) - own, interval: interval(evidence, effectiveRuns),
      effectiveRuns: effectiveRuns, rate: rate, score: scores.standardised[index],
      scoreInsideTasks: within.comparable >= 0.5 ? within.z : nil, resolved: resolved(key, hypothesis.pattern),
      byAgent: evidenceBy(cells) { table.runs[$0].agent }, byDomain: evidenceBy(cells) { table.runs[$0].domain },
      agentsOfDomain: agentsOfDomain(runs),
      examples: latest.filter { table.runs[$0].succeeded == (own > 0) }.map { table.runs[$0].run },
      counterexamples: latest.filter { table.runs[$0].succeeded != (own > 0) }.map { table.runs[$0].run })
  }

  /// Whether an effect is there inside tasks too, or too few tasks were done by several runs to say.
  private func survives(_ within: WithinTasks, _ sign: Double) -> Bool {
    guard within.comparable >= 0.5, abs(within.expected) >= 1 else { return true }
    return within.z * sign >= max(Self.certain, abs(within.expected) / 2)
  }

  /// Whether the same action, in other situations, goes with hard or easy tasks.
  private func isSymptomElsewhere(_ pattern: Int, _ sign: Double) -> Bool {
    guard table.patterns[pattern].key.form != .loop else { return false }
    let own = Set(table.cells(of: pattern))
    let others = (patternsOfAction[table.patterns[pattern].key.then] ?? []).flatMap { table.cells(of: $0) }
      .filter { !own.contains($0) }.sorted()
    let (sum, weight) = others.reduce(into: (0.0, 0.0)) { sums, cell in
      let expected = table.expectedOfCell[Int(cell)]
      sums.0 += residuals[Int(cell)]
      sums.1 += expected * (1 - expected)
    }
    guard weight > 0, sum * sign > 0 else { return false }
    let within = WithinTasks(table, others, effect: sum / weight, runsOfTask: runsOfTask)
    return within.comparable >= 0.5 && abs(within.expected) >= Self.certain
      && within.z * sign < abs(within.expected) / 2
  }

  private static func evidence(of cells: some Sequence<Int32>, _ table: CellTable) -> LearnedPattern.Evidence {
    var evidence = LearnedPattern.Evidence(runs: 0, observed: 0, expected: 0)
    for cell in cells { evidence.add(cell, table) }
    return evidence
  }

  private func evidenceBy(
    _ cells: ArraySlice<Int32>, _ name: (Int) -> String
  ) -> [String: LearnedPattern.Evidence] {
    Dictionary(grouping: cells) { name(Int(table.runOfCell[Int($0)])) }.mapValues { Self.evidence(of: $0, table) }
  }

  private func agentsOfDomain(_ runs: [Int]) -> [String: [String]] {
    Dictionary(grouping: runs) { table.runs[$0].domain }.mapValues { runs in
      Set(runs.map { table.runs[$0].agent }).sorted()
    }
  }

  /// Wilson's interval of the success rate of as many independent runs, over what was expected.
  private func interval(_ evidence: LearnedPattern.Evidence, _ runs: Double) -> ClosedRange<Double> {
    guard evidence.expected > 0, runs > 0 else { return 0...0 }
    let rate = Double(evidence.observed) / Double(evidence.runs)
    let (z, expected) = (1.96, evidence.expected / Double(evidence.runs))
    let middle = (rate + z * z / (2 * runs)) / (1 + z * z / runs)
    let half = z / (1 + z * z / runs) * (rate * (1 - rate) / runs + z * z / (4 * runs * runs)).squareRoot()
    return max(0, middle - half) / expected...(middle + half) / expected
  }

  /// By the tasks that came after it was first found, and by the last ones.
  private func grade(_ cells: ArraySlice<Int32>, _ sign: Double, since found: Int64?) -> LearnedPattern.Grade {
    struct Task {
      var first = Int64.max
      var last = Int64.min
      var residual = 0.0
      var variance = 0.0
    }
    var tasks: [Int: Task] = [:]
    for cell in cells {
      let run = Int(table.runOfCell[Int(cell)])
      let expected = table.expectedOfCell[Int(cell)]
      var task = tasks[table.taskOfRun[run]] ?? Task()
      task.first = min(task.first, table.runs[run].time)
      task.last = max(task.last, table.runs[run].time)
      task.residual += table.outcome[run] - expected
      task.variance += expected * (1 - expected)
      tasks[table.taskOfRun[run]] = task
    }
    func score(_ tasks: some Sequence<Task>) -> Double {
      // Residuals of one task belong together: their squares are the variance, where they are more than single runs let expect.
      let (sum, squares, variance) = tasks.reduce(into: (0.0, 0.0, 0.0)) { sums, task in
        sums.0 += task.residual
        sums.1 += task.residual * task.residual
        sums.2 += task.variance
      }
      let larger = max(squares, variance)
      return larger > 0 ? sign * sum / larger.squareRoot() : 0
    }
    let ordered = tasks.sorted { a, b in
      a.value.last != b.value.last ? a.value.last > b.value.last : a.key < b.key
    }.map(\.value)
    if ordered.count >= 40, score(ordered.prefix(20)) <= -Self.likely { return .contested }
    guard let found else { return .provisional }
    let new = ordered.filter { $0.first > found }
    if new.count < 10 { return .provisional }
    return new.count >= options.minimumTasks && score(new) >= Self.certain ? .established : .advice
  }

  private func resolved(_ key: PatternKey, _ pattern: Int) -> LearnedPattern.Resolved? {
    guard key.kind == .resolution, let all = table.occurrences(inSituationOf: pattern) else { return nil }
    func count(_ cells: ArraySlice<Int32>) -> Int {
      cells.count { cell in
        table.runs[Int(table.runOfCell[Int(cell)])].steps[table.step(of: cell)].symbol.outcome != .failed
      }
    }
    let own = table.cells(of: pattern)
    let mine = count(own)
    return LearnedPattern.Resolved(
      count: mine, otherwise: count(table.cells[all]) - mine, otherRuns: all.count - own.count)
  }
}
