/// What one pattern rests on, in one domain.
package struct PatternEvidence: Sendable {
  package struct Cell: Sendable {
    package var agent: String
    /// From 1.
    package var step: Int
    package var tasks: Int
    package var evidence: LearnedPattern.Evidence
  }

  /// By agent, then step.
  package private(set) var cells: [Cell] = []
  /// Of all other domains together.
  package private(set) var elsewhere = LearnedPattern.Evidence(runs: 0, observed: 0, expected: 0)
  /// Of the domain that have it, the latest first.
  package private(set) var runs: [RunTrace] = []
  /// Successes beyond what is expected after each shuffle, in order.
  package private(set) var shuffles: [Double] = []
  package private(set) var observed = 0.0

  package init(of key: PatternKey, in traces: [RunTrace], domain: String, options: LearningOptions) {
    let table = CellTable(traces, rarest: options.minimumRuns)
    guard let hypothesis = Hypothesis.all(table, runs: 1, tasks: 1).first(where: { table.key(of: $0.pattern) == key })
    else {
      return
    }
    struct Place: Hashable {
      var agent: String
      var step: Int
    }
    var places: [Place: [Int32]] = [:]
    for cell in table.cells(of: hypothesis.pattern) {
      let run = table.runs[Int(table.runOfCell[Int(cell)])]
      if run.domain == domain {
        places[Place(agent: run.agent, step: table.step(of: cell)), default: []].append(cell)
        runs.append(run)
      } else {
        elsewhere.add(cell, table)
      }
    }
    runs = Dictionary(runs.map { ($0.run, $0) }, uniquingKeysWith: { first, _ in first }).values.sorted { a, b in
      a.time != b.time ? a.time > b.time : a.run < b.run
    }
    cells = places.map { place, cells in
      var evidence = LearnedPattern.Evidence(runs: 0, observed: 0, expected: 0)
      for cell in cells { evidence.add(cell, table) }
      return Cell(
        agent: place.agent, step: place.step + 1,
        tasks: Set(cells.map { table.taskOfRun[Int(table.runOfCell[Int($0)])] }).count, evidence: evidence)
    }.sorted { a, b in a.agent != b.agent ? a.agent < b.agent : a.step < b.step }
    guard
      let scores = Scores(
        table, [hypothesis], TaskEase(table).residuals(table), options, isCancelled: { false }, progress: { _ in })
    else { return }
    observed = scores.own[0]
    shuffles = scores.ownOfShuffles(0).sorted()
  }
}

extension LearnedPattern.Evidence {
  mutating func add(_ cell: Int32, _ table: CellTable) {
    runs += 1
    if table.runs[Int(table.runOfCell[Int(cell)])].succeeded { observed += 1 }
    expected += table.expectedOfCell[Int(cell)]
  }
}
