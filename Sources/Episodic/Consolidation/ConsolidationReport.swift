public import AgentLedger
public import EpisodicMemory

/// What consolidating did: which runs became episodes.
public struct ConsolidationReport: Hashable, Sendable {
  /// Runs that became an episode now, in the order in which they ended.
  public internal(set) var episodes: [Episode.ID] = []
  /// Runs that were one already: an earlier consolidation was cut short after it.
  public internal(set) var known = 0
  /// Runs that were erased, because their episode had been.
  public internal(set) var erased = 0
  /// Patterns that were recorded or brought up to date.
  public internal(set) var patterns = 0
  /// Runs that stay as they are, with the reason.
  public internal(set) var failures: [Failure] = []

  /// A run that cannot become an episode.
  public struct Failure: Hashable, Sendable {
    /// The run.
    public let run: Ledger.Run.ID
    /// What is wrong, and the remedy.
    public let reason: String
  }

  /// A report of nothing, to be added to.
  public init() {}
}
