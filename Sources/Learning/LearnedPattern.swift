/// A pattern that goes with more successes, or fewer, than chance explains, and what speaks for it.
public struct LearnedPattern: Sendable, Hashable {
  /// How far a pattern can be relied on.
  public enum Grade: String, Sendable, CaseIterable {
    /// Found once; too few tasks have been done since.
    case provisional
    /// It goes with hard, or easy, tasks: inside a task it makes no difference. Never advised.
    case symptom
    /// Found again when at least ten tasks had been done with it that were new.
    case advice
    /// The tasks done since it was found show it by themselves.
    case established
    /// The last twenty tasks point the other way. Not advised.
    case contested
  }

  /// Whether a pattern helps or harms.
  public enum Direction: String, Sendable, CaseIterable {
    /// More of the runs succeed.
    case prefer
    /// Fewer of the runs succeed.
    case avoid
  }

  /// Runs in which a pattern occurred, and what was expected of them.
  public struct Evidence: Sendable, Hashable {
    /// Occurrences, one for each step at which the pattern ended.
    public var runs: Int
    /// Those of them that succeeded in the end.
    public var observed: Int
    /// How many of them would have, if they had been like all runs of the same agent and domain that were still going at the step.
    public var expected: Double

    package init(runs: Int, observed: Int, expected: Double) {
      (self.runs, self.observed, self.expected) = (runs, observed, expected)
    }

    /// Observed over expected; 1 if nothing was expected.
    public var lift: Double { expected > 0 ? Double(observed) / expected : 1 }

    package func agrees(with direction: Direction) -> Bool {
      direction == .prefer ? Double(observed) > expected : Double(observed) < expected
    }
  }

  /// Of a resolution: how often the next step succeeded, which is another question than whether the run did.
  public struct Resolved: Sendable, Hashable {
    /// Occurrences whose step succeeded.
    public var count: Int
    /// The same of everything else that was done in the situation.
    public var otherwise: Int
    /// How often something else was done.
    public var otherRuns: Int

    package init(count: Int, otherwise: Int, otherRuns: Int) {
      (self.count, self.otherwise, self.otherRuns) = (count, otherwise, otherRuns)
    }
  }

  /// What was done in which situation.
  public var key: PatternKey
  /// Whether it helps or harms.
  public var direction: Direction
  /// How far it can be relied on.
  public var grade: Grade
  /// Over all agents and domains.
  public var evidence: Evidence
  /// Distinct tasks in which it occurred.
  public var tasks: Int
  /// Successes expected of the other things done in the same situation, with the ease of the tasks.
  public var expectedHere: Double
  /// 95 % interval of the lift.
  public var interval: ClosedRange<Double>
  /// Independent runs that would be as certain.
  public var effectiveRuns: Double
  /// Share of chance among all that is found, if this is (q).
  public var rate: Double
  /// Standard deviations from chance, by the shuffles.
  public var score: Double
  /// The same among runs of one task; `nil` if too few tasks were done by several runs.
  public var scoreInsideTasks: Double?
  /// Of a resolution.
  public var resolved: Resolved?
  /// By agent, over all domains.
  public var byAgent: [String: Evidence]
  package var byDomain: [String: Evidence]
  /// Agents by domain that have it.
  package var agentsOfDomain: [String: [String]]
  /// Digests of runs, the latest first: those that went as the pattern says, and those that did not.
  package var examples: [UInt64]
  package var counterexamples: [UInt64]

  /// Runs of its own that an agent needs to be advised.
  package static let runsOfAgent = 10

  package init(
    key: PatternKey, direction: Direction, grade: Grade, evidence: Evidence, tasks: Int, expectedHere: Double,
    interval: ClosedRange<Double>, effectiveRuns: Double, rate: Double, score: Double, scoreInsideTasks: Double?,
    resolved: Resolved?, byAgent: [String: Evidence], byDomain: [String: Evidence],
    agentsOfDomain: [String: [String]] = [:], examples: [UInt64] = [], counterexamples: [UInt64] = []
  ) {
    (self.key, self.direction, self.grade, self.evidence, self.tasks) = (key, direction, grade, evidence, tasks)
    (self.expectedHere, self.interval, self.effectiveRuns) = (expectedHere, interval, effectiveRuns)
    (self.rate, self.score, self.scoreInsideTasks, self.resolved) = (rate, score, scoreInsideTasks, resolved)
    (self.byAgent, self.byDomain, self.agentsOfDomain) = (byAgent, byDomain, agentsOfDomain)
    (self.examples, self.counterexamples) = (examples, counterexamples)
  }

  /// Whether it may be advised to an agent: it is neither a symptom nor contested, and the agent's own runs are many enough and say
  /// the same. What helps one agent may harm another.
  public func holds(for agent: String) -> Bool {
    guard grade != .symptom, grade != .contested, let own = byAgent[agent] else { return false }
    return own.runs >= Self.runsOfAgent && own.agrees(with: direction)
  }

  /// Agents whose own runs are many enough and say the opposite: when not to use it.
  public var reversed: [String] {
    byAgent.filter { $0.value.runs >= Self.runsOfAgent && !$0.value.agrees(with: direction) }.keys.sorted()
  }
}
