/// What learning saw, beside the patterns that it found.
public struct LearningReport: Sendable, Hashable {
  /// Runs that it looked at.
  public var runs = 0
  /// Distinct tasks of these: the size of the sample.
  public var tasks = 0
  /// Agents that did them.
  public var agents = 0
  /// Domains in which they were done.
  public var domains = 0
  /// Runs that succeeded.
  public var successes = 0
  /// Runs beyond the limits of one learning, the oldest.
  public var omittedRuns = 0
  /// Runs of which only the first 200 steps were looked at.
  public var cutRuns = 0
  /// Patterns that occurred often enough to be tested.
  public var tested = 0
  /// Patterns beyond chance whose direction depends on what they are compared to.
  public var dropped = 0
  /// How often tasks swapped their futures.
  public var shuffles = 0
  /// After how many of these anything at all would have been found.
  public var shufflesWithFindings = 0
  /// Why nothing, or not more, was found; sentences.
  public var reasons: [String] = []

  /// Nothing seen.
  public init() {}
}
