extension Episode {
  /// Which episodes of a scope to return; by default all.
  public struct Filter: Hashable, Sendable {
    /// Of this session.
    public var session: String?
    /// Of this kind of task.
    public var taskType: TaskType?
    /// `nil`: all when listing; completed and failed when recalling.
    public var statuses: Set<Status>?
    /// Created at or after.
    public var after: Timestamp?
    /// Created before.
    public var before: Timestamp?
    /// Trusted so far, its steps and parents included; `nil`: however far when listing, not quarantined when recalling.
    public var trust: ClosedRange<Trust>?
    /// At least one step of the episode is like this.
    public var step: Step.Filter?

    /// What is left out does not restrict.
    public init(
      session: String? = nil, taskType: TaskType? = nil, statuses: Set<Status>? = nil, after: Timestamp? = nil,
      before: Timestamp? = nil, trust: ClosedRange<Trust>? = nil, step: Step.Filter? = nil
    ) {
      self.trust = trust
      self.session = session?.canonicallyComposed
      self.taskType = taskType
      self.statuses = statuses
      self.after = after
      self.before = before
      self.step = step
    }

    /// The filter for those that were also created in a time.
    package func restricted(to window: Range<Timestamp>) -> Episode.Filter {
      var filter = self
      filter.after = max(after ?? window.lowerBound, window.lowerBound)
      filter.before = min(before ?? window.upperBound, window.upperBound)
      return filter
    }

    /// Whether it passes, but for its steps: only the primary separates their words.
    func admitsFields(of episode: Episode) -> Bool {
      (session ?? episode.session) == episode.session && (taskType ?? episode.taskType) == episode.taskType
        && statuses?.contains(episode.status) ?? true && after.map { episode.createdAt >= $0 } ?? true
        && before.map { episode.createdAt < $0 } ?? true && trust?.contains(episode.trust) ?? true
    }
  }
}

extension Episode {
  /// A part of a list of episodes, and the cursor of the next part.
  public struct Page: Sendable {
    /// A place in a list, newest first, that stays valid while episodes are added and deleted.
    public struct Cursor: RawRepresentable, Hashable, Sendable {
      /// Creation time in milliseconds and row, as `1767225600000-42`.
      public let rawValue: String
      package let createdAt: Int64
      package let row: Int64

      package init(createdAt: Int64, row: Int64) {
        self.createdAt = createdAt
        self.row = row
        rawValue = "\(createdAt)-\(row)"
      }

      public init?(rawValue: String) {
        guard let dash = rawValue.lastIndex(of: "-"), dash != rawValue.startIndex,
          let createdAt = Int64(rawValue[..<dash]), let row = Int64(rawValue[rawValue.index(after: dash)...])
        else { return nil }
        self.init(createdAt: createdAt, row: row)
      }
    }

    /// The episodes of this part, newest first.
    public let elements: [Episode]
    /// Pass it to the next call; `nil` after the last page.
    public let next: Cursor?

    /// A part of a list; for doubles in tests.
    public init(elements: [Episode], next: Cursor?) {
      self.elements = elements
      self.next = next
    }
  }
}
