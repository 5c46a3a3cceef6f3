/// Which patterns apply to a run that is still going: what its last steps are.
package struct Situation: Sendable {
  /// The last two.
  private let steps: [RunTrace.Step]

  /// - Parameter texts: The last steps of the run: two make a situation, and among the last 200 repetitions are counted. Only two are
  ///   normalised, as this is asked after every step.
  package init(_ texts: some BidirectionalCollection<StepText>) {
    var steps = RunTrace.Step.steps(of: texts.suffix(2))
    if let last = texts.last, let index = steps.indices.last {
      let times = texts.suffix(RunTrace.longest).count { $0.action == last.action && $0.tool == last.tool }
      steps[index].repetition = UInt8(clamping: times)
    }
    self.steps = steps
  }

  /// By which patterns are found that may apply.
  package var names: [String] {
    var names = [steps.last?.symbol.text ?? PatternKey.start]
    if isThirdTime { names.append(PatternKey.sameAction) }
    if isSameError { names.append(PatternKey.sameError) }
    return names
  }

  package var isThirdTime: Bool { (steps.last?.repetition ?? 0) >= 3 }

  package var isSameError: Bool {
    guard steps.count >= 2, let last = steps[steps.count - 1].signature else { return false }
    return steps[steps.count - 2].signature == last
  }

  /// Whether a pattern applies now.
  package func admits(_ key: PatternKey) -> Bool {
    if key.kind == .loop {
      return key.then == PatternKey.sameAction ? isThirdTime : key.then == PatternKey.sameError && isSameError
    }
    guard key.when.last == (steps.last?.symbol.text ?? PatternKey.start) else { return false }
    guard key.when.count == 2 else { return key.when.count == 1 }
    let earlier = steps.count >= 2 ? steps[steps.count - 2].symbol.text : steps.isEmpty ? "" : PatternKey.start
    return key.when[0] == earlier || key.when[0] == steps.last?.signature
  }
}
