import Learning

/// Runs whose good and bad habits are known, with traps: agents differ in skill and in habits, a run ends when it succeeds, one
/// action appears only late, one only in hard tasks, and runs of one task are alike.
///
/// After `query` failed, each of six actions changes the log odds to succeed at each later step.
struct PlantedRuns {
  static let effects: [(action: String, logOdds: Double)] = [
    ("p0", 1.6), ("p1", 1.2), ("p2", 0.9), ("p3", -2.5), ("p4", -1.8), ("p5", -1.2),
  ]

  var traces: [RunTrace] = []

  init(seed: UInt64, tasks: Int = 300, isNull: Bool = false) {
    var random = SplitMix64(seed: seed &* 7919)
    let agents: [(String, Double)] = [("a0", -3.2), ("a1", -2.4), ("a2", -1.9), ("a3", -1.3)]
    for task in 0..<tasks {
      let domain = "d\(Int.random(in: 0..<5, using: &random))"
      let ease = Self.normal(&random) * 1.1
      for (agent, skill) in agents {
        traces.append(
          Self.run(
            task: task, domain, agent, skill: skill, ease: ease, number: traces.count, isNull: isNull, &random))
      }
    }
  }

  private static func run(
    task: Int, _ domain: String, _ agent: String, skill: Double, ease: Double, number: Int, isNull: Bool,
    _ random: inout SplitMix64
  ) -> RunTrace {
    var steps: [StepText] = []
    var bonus = 0.0
    var succeeded = false
    var wasFailedQuery = false
    for step in 0..<10 {
      var weights = [("query", 4.0), ("list", 1.5), ("open", 1.5), ("h\(agent)", 1.2), ("edit", 1.0), ("note", 0.8)]
      if step >= 5 { weights.append(("late", 1.5)) }
      if ease < -1 { weights.append(("deep", 1.2)) }
      if wasFailedQuery { weights += effects.map { ($0.action, 0.55) } }
      let action = pick(weights, &random)
      var isOK = Double.random(in: 0..<1, using: &random) < (action == "query" ? 0.45 : 0.9)
      if wasFailedQuery, let effect = effects.first(where: { $0.action == action }) {
        if !isNull { bonus += effect.logOdds }
        isOK = true
      }
      let value = Int.random(in: 0..<99, using: &random)
      steps.append(
        StepText(
          action: "\(action)({\"x\": \"\(value)\"})",
          result: isOK ? "done" : "Error: bad value '\(value)' in \(action)",
          success: isOK))
      wasFailedQuery = action == "query" && !isOK
      let odds = skill + ease + bonus - 0.5
      if step > 0, Double.random(in: 0..<1, using: &random) < 1 / (1 + exp(-odds)) {
        succeeded = true
        break
      }
    }
    if succeeded || Double.random(in: 0..<1, using: &random) < 0.7 {
      steps.append(StepText(action: "finish({\"x\": \"1\"})", result: succeeded ? "correct" : "wrong", success: true))
    }
    return RunTrace(
      agent: agent, domain: domain, task: UInt64(task), run: UInt64(number) &* 0x9E37_79B9_7F4A_7C15,
      time: Int64(number), succeeded: succeeded, steps: RunTrace.Step.steps(of: steps), stepCount: steps.count)
  }

  private static func pick(_ weights: [(String, Double)], _ random: inout SplitMix64) -> String {
    var left = Double.random(in: 0..<weights.reduce(0) { $0 + $1.1 }, using: &random)
    for (name, weight) in weights {
      if left < weight { return name }
      left -= weight
    }
    return weights[0].0
  }

  /// Standard normal, as a sum of uniform numbers.
  private static func normal(_ random: inout SplitMix64) -> Double {
    (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
  }

  /// e to the power of a number, without a library of the platform.
  private static func exp(_ x: Double) -> Double {
    var (term, sum) = (1.0, 1.0)
    for index in 1...60 {
      term *= abs(x) / Double(index)
      sum += term
    }
    return x < 0 ? 1 / sum : sum
  }

  /// Whether a pattern says of a planted action what is true.
  static func isRight(_ pattern: LearnedPattern) -> Bool {
    guard let effect = effects.first(where: { $0.action == pattern.key.then }) else { return false }
    return (effect.logOdds > 0) == (pattern.direction == .prefer)
  }
}
