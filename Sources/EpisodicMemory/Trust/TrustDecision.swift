/// What is to be trusted more or less.
public enum TrustSubject: Hashable, Sendable {
  /// An episode with its steps.
  case episode(Episode.ID)
  /// A step; its episode is trusted no more than it.
  case step(Step.ID)
  /// A pattern.
  case pattern(Pattern.ID)
  /// The episodes of a source, and those with a step of it: its kind, such as `web`, or the id that it has. Created at a time or
  /// after; `nil`: at any time.
  case source(String, since: Timestamp? = nil)
}

/// That somebody said how far something is trusted.
public struct TrustDecision: Hashable, Sendable {
  /// What was decided on: an episode, a step or a pattern.
  public let subject: TrustSubject
  /// As it is trusted since.
  public let trust: Trust
  /// As it was trusted before.
  public let before: Trust
  /// Who decided.
  public let actor: String
  /// Why, if that was told.
  public let reason: String?
  /// When.
  public let decidedAt: Timestamp

  /// A value as a store returns it; for doubles in tests.
  public init(
    subject: TrustSubject, trust: Trust, before: Trust, actor: String, reason: String?, decidedAt: Timestamp
  ) {
    self.subject = subject
    self.trust = trust
    self.before = before
    self.actor = actor
    self.reason = reason
    self.decidedAt = decidedAt
  }
}

/// How many rows a decision on trust has changed.
public struct TrustReport: Hashable, Sendable {
  /// Episodes, those that are derived from others included.
  public var episodes = 0
  /// Steps that were named.
  public var steps = 0
  /// Patterns that were named, or learned from the episodes.
  public var patterns = 0

  /// Nothing changed.
  public init() {}
}

/// A decision, checked.
package struct TrustRequest: Sendable {
  package let subject: TrustSubject
  package let trust: Trust
  /// Whether the subject must be trusted less before.
  package let raises: Bool
  package let actor: String
  package let reason: String?
  package let now: Timestamp
}
