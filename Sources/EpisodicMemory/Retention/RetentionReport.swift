/// What the policies of retention did, or would do: to which episodes, and why.
public struct RetentionReport: Hashable, Codable, Sendable {
  /// What happens to an episode.
  public enum Action: String, CaseIterable, Hashable, Codable, Sendable {
    /// It is archived, and recall leaves it out.
    case archive
    /// It is deleted with its steps, vectors and links.
    case delete
    /// It is active and becomes failed.
    case abandon
  }

  /// The rule of the policy that it happens for.
  public enum Reason: String, CaseIterable, Hashable, Codable, Sendable {
    /// It ended longer ago than `archiveAfter`.
    case archiveAfter = "archive_after"
    /// It ended longer ago than `deleteArchivedAfter`.
    case deleteArchivedAfter = "delete_archived_after"
    /// It got no step for longer than `abandonAfter`.
    case abandonAfter = "abandon_after"
    /// There are more episodes in its domain than `maximumEpisodes`, and it is one of the oldest.
    case maximumEpisodes = "maximum_episodes"
    /// They take more bytes than `maximumBytes`, and it is one of the oldest.
    case maximumBytes = "maximum_bytes"
  }

  /// One episode.
  public struct Decision: Hashable, Codable, Sendable {
    /// Which it is.
    public let episode: Episode.ID
    /// Its domain.
    public let domain: String
    /// What happens to it.
    public let action: Action
    /// Why.
    public let reason: Reason

    /// An entry of a report.
    public init(episode: Episode.ID, domain: String, action: Action, reason: Reason) {
      self.episode = episode
      self.domain = domain
      self.action = action
      self.reason = reason
    }
  }

  /// Decisions that a report names.
  public static let maximumDecisions = 1000

  /// Whether nothing was changed.
  public internal(set) var isDryRun: Bool
  /// Episodes that were looked at: those of domains with a policy.
  public internal(set) var episodes = 0
  /// Episodes that a rule would have concerned, and that stay because they are linked to a pattern which was used.
  public internal(set) var kept = 0
  /// How many episodes each rule concerned.
  public internal(set) var counts: [Reason: Int] = [:]
  /// The first thousand of them.
  public internal(set) var decisions: [Decision] = []
  /// Episodes that an earlier run had deleted, and whose last steps this one removed; counted by none of the rules.
  public internal(set) var finished = 0
  /// Why rules that depend on the clock were not applied; `nil` if all were.
  public internal(set) var clockDoubt: String?

  /// A report of nothing.
  public init(isDryRun: Bool) { self.isDryRun = isDryRun }

  /// Episodes that something happened to.
  public var total: Int { counts.values.reduce(0, +) }

  /// Episodes that were deleted.
  public var deleted: Int {
    [Reason.deleteArchivedAfter, .maximumEpisodes, .maximumBytes].reduce(0) { $0 + (counts[$1] ?? 0) }
  }

  mutating func note(_ decision: RetentionDecision) {
    counts[decision.reason, default: 0] += 1
    guard decisions.count < Self.maximumDecisions else { return }
    decisions.append(
      Decision(
        episode: decision.record.id, domain: decision.record.domain, action: decision.action, reason: decision.reason))
  }
}
