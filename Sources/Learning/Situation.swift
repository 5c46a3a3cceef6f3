/// Which patterns apply to a run that is still going: what its last steps are.
package struct Situation: Sendable {
  private let steps: [RunTrace.Step]

  /// - Parameter steps: Of the whole run, so that repetitions are known; the first `RunTrace.longest` are looked at.
  package init(_ steps: [RunTrace.Step]) { self.steps = steps }

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
