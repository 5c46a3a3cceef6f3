/// What a domain holds.
public struct DomainSummary: Hashable, Sendable {
  /// The domain.
  public let name: String
  /// Episodes by status.
  public let episodes: [Episode.Status: Int]
  /// When one of them was last begun or ended.
  public let lastActivity: Timestamp

  /// A value as a store returns it; for doubles in tests.
  public init(name: String, episodes: [Episode.Status: Int], lastActivity: Timestamp) {
    self.name = name
    self.episodes = episodes
    self.lastActivity = lastActivity
  }
}

/// What a session holds: the episodes of one domain that share its name.
public struct SessionSummary: Hashable, Sendable {
  /// The session.
  public let name: String
  /// The domain of its episodes.
  public let domain: String
  /// Episodes by status.
  public let episodes: [Episode.Status: Int]
  /// When the first of them was begun.
  public let firstActivity: Timestamp
  /// When one of them was last begun or ended.
  public let lastActivity: Timestamp

  /// A value as a store returns it; for doubles in tests.
  public init(
    name: String, domain: String, episodes: [Episode.Status: Int], firstActivity: Timestamp, lastActivity: Timestamp
  ) {
    self.name = name
    self.domain = domain
    self.episodes = episodes
    self.firstActivity = firstActivity
    self.lastActivity = lastActivity
  }

  /// A part of the sessions, and the cursor of the next part.
  public struct Page: Hashable, Sendable {
    /// The sessions of this part, newest first.
    public let elements: [SessionSummary]
    /// Pass it to the next call; `nil` after the last page.
    public let next: Episode.Page.Cursor?

    /// A part of a list; for doubles in tests.
    public init(elements: [SessionSummary], next: Episode.Page.Cursor?) {
      self.elements = elements
      self.next = next
    }
  }
}
