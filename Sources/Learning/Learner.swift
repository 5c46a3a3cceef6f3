/// Mines runs for patterns that go with another outcome than chance explains, on tasks that may never come again.
///
/// The score of a pattern is what its runs achieved beyond the runs of the same agent and domain that were still going at the same
/// step, less what everything done in its situation achieved. It is compared with the same score after whole tasks have swapped
/// their futures (`TaskShuffle`), over all patterns at a false discovery rate. Where tasks were done by several runs, it must
/// hold inside tasks too (`WithinTasks`).
package struct Learner {
  package typealias Options = LearningOptions

  /// When patterns were first found, from an earlier learning.
  package typealias History = [PatternKey: Int64]

  /// An occurrence that is no evidence: the pattern was advised to the run, and nothing random decided that.
  package struct Advised: Hashable, Sendable {
    package var run: UInt64
    package var key: PatternKey

    package init(run: UInt64, key: PatternKey) { (self.run, self.key) = (run, key) }
  }

  package let patterns: [LearnedPattern]
  package let report: LearningReport

  /// - Parameters:
  ///   - history: Of each pattern found before: the time of the last run that it was found from.
  ///   - advised: What is left out.
  ///   - isCancelled: Asked between shuffles.
  ///   - progress: Told the share that is done.
  package init?(
    _ traces: [RunTrace], history: History = [:], advised: Set<Advised> = [], options: Options = Options(),
    isCancelled: () -> Bool = { false }, progress: (Double) -> Void = { _ in }
  ) {
    var report = LearningReport()
    let traces = Self.latest(traces, options, &report)
    guard Self.isEnough(traces, options, &report) else {
      (patterns, self.report) = ([], report)
      return
    }
    let table = CellTable(traces, rarest: options.minimumRuns, excluding: advised)
    let hypotheses = Hypothesis.all(table, runs: options.minimumRuns, tasks: options.minimumTasks)
    report.tested = hypotheses.count
    guard !hypotheses.isEmpty else {
      report.reasons.append(
        "no pattern occurred \(options.minimumRuns) times in \(options.minimumTasks) tasks, with as much to compare it to"
      )
      (patterns, self.report) = ([], report)
      return
    }
    let residuals = TaskEase(table).residuals(table)
    guard
      let scores = Scores(table, hypotheses, residuals, options, isCancelled: isCancelled, progress: progress)
    else { return nil }
    report.shuffles = options.shuffles
    report.shufflesWithFindings = scores.shufflesWithFindings
    let builder = PatternBuilder(table: table, residuals: residuals, history: history, options: options)
    let found = Self.found(hypotheses, scores, builder, options)
    report.dropped = found.dropped
    patterns = found.patterns
      .sorted { a, b in
        let (x, y) = (abs(a.score), abs(b.score))
        return x != y ? x > y : a.key.text.utf8.lexicographicallyPrecedes(b.key.text.utf8)
      }
    if patterns.isEmpty {
      report.reasons.append(
        "none of \(hypotheses.count) patterns is beyond chance at a false discovery rate of \(options.falseDiscoveryRate)"
      )
    }
    self.report = report
  }

  /// What is beyond chance. A symptom, or what points nowhere, is no discovery that others could hide behind: without it the rest
  /// is tested again.
  private static func found(
    _ hypotheses: [Hypothesis], _ scores: Scores, _ builder: PatternBuilder, _ options: Options
  ) -> (patterns: [LearnedPattern], dropped: Int) {
    var tested = Array(hypotheses.indices)
    var symptoms: [LearnedPattern] = []
    var dropped = 0
    while true {
      let rates = scores.rates(tested)
      let found = zip(tested, rates).filter { $0.1 <= options.falseDiscoveryRate }
      var patterns: [LearnedPattern] = []
      var rejected: Set<Int> = []
      for (index, rate) in found {
        let pattern = builder.pattern(hypotheses[index], scores, index, rate: rate)
        guard let pattern, pattern.grade != .symptom else {
          rejected.insert(index)
          if let pattern { symptoms.append(pattern) } else { dropped += 1 }
          continue
        }
        patterns.append(pattern)
      }
      if rejected.isEmpty { return (patterns + symptoms, dropped) }
      tested.removeAll { rejected.contains($0) }
    }
  }

  /// As many as one learning bears, the latest.
  private static func latest(_ traces: [RunTrace], _ options: Options, _ report: inout LearningReport) -> [RunTrace] {
    let cells = traces.reduce(0) { $0 + $1.usableSteps }
    var kept = traces
    if cells > options.maximumCells {
      kept.sort { a, b in a.time != b.time ? a.time > b.time : a.run < b.run }
      var sum = 0
      kept = Array(
        kept.prefix { run in
          sum += run.usableSteps
          return sum <= options.maximumCells
        })
      report.omittedRuns = traces.count - kept.count
      report.reasons.append(
        "the oldest \(report.omittedRuns) runs are left out: a learning takes \(options.maximumCells) steps")
    }
    report.cutRuns = kept.count { $0.stepCount > RunTrace.longest }
    if report.cutRuns > 0 {
      report.reasons.append("of \(report.cutRuns) runs only the first \(RunTrace.longest) steps count")
    }
    return kept
  }

  /// Whether anything honest can be learned at all.
  private static func isEnough(_ traces: [RunTrace], _ options: Options, _ report: inout LearningReport) -> Bool {
    struct Task: Hashable {
      var domain: String
      var task: UInt64
    }
    report.runs = traces.count
    report.tasks = Set(traces.map { Task(domain: $0.domain, task: $0.task) }).count
    report.agents = Set(traces.map(\.agent)).count
    report.domains = Set(traces.map(\.domain)).count
    report.successes = traces.count(where: \.succeeded)
    if report.tasks < options.tasksNeeded {
      report.reasons.append(
        "\(report.tasks) tasks, about \(options.tasksNeeded) needed: runs of one task are not independent")
    }
    let fewer = min(report.successes, report.runs - report.successes)
    if fewer < options.minimumRuns {
      let (number, what) =
        report.successes > report.runs - report.successes
        ? (report.runs - report.successes, "failed") : (report.successes, "succeeded")
      report.reasons.append(
        "\(number) of \(report.runs) runs \(what), about \(options.minimumRuns) needed to compare with")
    }
    return report.tasks >= options.tasksNeeded && fewer >= options.minimumRuns
  }
}

extension Learner {
  /// The scores of given patterns in runs that they were not found in, in standard deviations of the shuffles; of those that
  /// occur in them.
  package static func scores(
    of keys: [PatternKey], in traces: [RunTrace], options: Options = Options()
  ) -> [PatternKey: Double] {
    let table = CellTable(traces, rarest: 1)
    let wanted = Set(keys)
    let hypotheses = Hypothesis.all(table, runs: 1, tasks: 1).filter { wanted.contains(table.key(of: $0.pattern)) }
    guard
      let scores = Scores(
        table, hypotheses, TaskEase(table).residuals(table), options, isCancelled: { false }, progress: { _ in })
    else { return [:] }
    return Dictionary(
      uniqueKeysWithValues: hypotheses.indices.map { index in
        let deviation = scores.ownDeviation[index]
        return (table.key(of: hypotheses[index].pattern), deviation > 0 ? scores.own[index] / deviation : 0)
      })
  }
}
