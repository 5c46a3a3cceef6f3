/// How learning goes about it. The defaults are what the documented error rates hold for.
public struct LearningOptions: Sendable, Hashable {
  /// Decides the shuffles: the same runs and seed give the same result, bit for bit.
  public var seed: UInt64
  /// How often whole tasks swap their futures to see what chance finds, 20 to 1,000.
  public var shuffles: Int
  /// Share of chance among what is found, 0.001 to 0.2. Findings that turn out to be symptoms go, so that of what is advised a
  /// little more is chance: 4 % stays below 5 % there.
  public var falseDiscoveryRate: Double
  /// A run succeeded if it was completed and its success rate is known and at least this; `nil`: if it was completed. The success
  /// rate of a run that was completed without one is the share of its steps that succeeded, which says nothing of the outcome.
  public var minimumSuccessRate: Double?
  /// Occurrences that a pattern needs, and what else was done in its situation, at least 10.
  public var minimumRuns: Int
  /// Distinct tasks that a pattern needs, at least 10: runs of one task are not independent.
  public var minimumTasks: Int
  /// Tasks that all runs together need.
  var tasksNeeded = 90
  /// Steps of all runs together that one learning bears.
  package var maximumCells = 2_000_000

  /// What is left out has its default.
  public init(
    seed: UInt64 = 1, shuffles: Int = 100, falseDiscoveryRate: Double = 0.04, minimumSuccessRate: Double? = nil,
    minimumRuns: Int = 30, minimumTasks: Int = 30
  ) {
    (self.seed, self.shuffles, self.falseDiscoveryRate) = (seed, shuffles, falseDiscoveryRate)
    (self.minimumSuccessRate, self.minimumRuns, self.minimumTasks) = (minimumSuccessRate, minimumRuns, minimumTasks)
  }
}
